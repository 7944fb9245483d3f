#include "rlhf/algorithms/minibatch.h"

#include <numeric>
#include <string>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::algorithms {

std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t key) {
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  Random random(key);
  random.shuffle(std::span(order));
  return order;
}

std::vector<std::vector<std::int64_t>> split_evenly(std::span<const std::int64_t> items, std::int64_t pieces) {
  const auto count = static_cast<std::int64_t>(items.size());
  if (pieces < 1 || count < pieces)
    throw Error({.category = Category::usage,
                 .where = "minibatches",
                 .what = std::to_string(count) + " items cannot be cut into " + std::to_string(pieces) + " minibatches",
                 .fix = "Use a larger batch or fewer minibatches."});
  std::vector<std::vector<std::int64_t>> result;
  for (std::int64_t i = 0; i < pieces; ++i)
    result.emplace_back(items.begin() + count * i / pieces, items.begin() + count * (i + 1) / pieces);
  return result;
}

std::vector<std::vector<std::int64_t>> split_by_tokens(std::span<const std::int64_t> items, std::span<const std::int64_t> lengths,
                                                       std::int64_t budget) {
  std::vector<std::vector<std::int64_t>> result;
  std::int64_t tokens = 0;
  for (const std::int64_t item : items) {
    if (result.empty() || tokens + lengths[item] > budget) {
      result.emplace_back();
      tokens = 0;
    }
    result.back().push_back(item);
    tokens += lengths[item];
  }
  return result;
}

}  // namespace rlhf::algorithms
