#include <algorithm>
#include <bit>
#include <numeric>

#include "rlhf/data/preflight.h"

namespace rlhf::data {

LengthHistogram length_histogram(std::span<const std::int64_t> lengths) {
  if (lengths.empty()) return {};
  std::vector<std::int64_t> sorted(lengths.begin(), lengths.end());
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](double share) {
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
  };
  LengthHistogram made{.smallest = sorted.front(),
                       .median = at(0.5),
                       .p95 = at(0.95),
                       .largest = sorted.back(),
                       .total = std::accumulate(sorted.begin(), sorted.end(), std::int64_t{0}),
                       .bins = {}};
  const auto bin = [](std::int64_t length) {
    return static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(length, 1))) - 1);
  };
  made.bins.assign(bin(sorted.back()) + 1, 0);
  for (const auto length : sorted) ++made.bins[bin(length)];
  return made;
}

}  // namespace rlhf::data
