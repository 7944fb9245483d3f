#include <algorithm>
#include <numeric>
#include <string>

#include "rlhf/core/error.h"
#include "rlhf/data/loader.h"

namespace rlhf::data {

std::vector<std::vector<std::int64_t>> pack_rows(std::span<const std::int64_t> lengths, std::int64_t budget) {
  std::vector<std::int64_t> by_length(lengths.size());
  std::iota(by_length.begin(), by_length.end(), 0);
  const auto length = [&](std::int64_t row) { return lengths[static_cast<std::size_t>(row)]; };
  std::stable_sort(by_length.begin(), by_length.end(), [&](auto a, auto b) { return length(a) > length(b); });

  std::vector<std::vector<std::int64_t>> bins;
  std::vector<std::int64_t> room;
  for (const auto row : by_length) {
    if (length(row) > budget) {
      throw Error({.category = Category::bad_data,
                   .where = "row " + std::to_string(row),
                   .what = "it has " + std::to_string(length(row)) + " tokens, more than the " +
                           std::to_string(budget) + " of a micro-batch",
                   .fix = "Raise micro_tokens, or lower max_tokens so that the row is dropped."});
    }
    const auto fits = std::find_if(room.begin(), room.end(), [&](auto free) { return free >= length(row); });
    const auto bin = static_cast<std::size_t>(fits - room.begin());
    if (fits == room.end()) {
      bins.emplace_back();
      room.push_back(budget);
    }
    bins[bin].push_back(row);
    room[bin] -= length(row);
  }
  for (auto& bin : bins) std::sort(bin.begin(), bin.end());
  std::sort(bins.begin(), bins.end());
  return bins;
}

}  // namespace rlhf::data
