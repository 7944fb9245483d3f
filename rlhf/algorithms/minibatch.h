#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace rlhf::algorithms {

/// 0 .. count-1 in the order of a key alone, so that a pass can be repeated from any point.
std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t key);

/// Cuts `items` into `pieces` runs whose sizes differ by one at most. Throws rlhf::Error when there are fewer items.
std::vector<std::vector<std::int64_t>> split_evenly(std::span<const std::int64_t> items, std::int64_t pieces);

/// Cuts `items` into runs of at most `budget` tokens, in order; an item that is longer on its own makes a run of its own.
///   lengths  tokens of every item, indexed by the entries of `items`
std::vector<std::vector<std::int64_t>> split_by_tokens(std::span<const std::int64_t> items, std::span<const std::int64_t> lengths,
                                                       std::int64_t budget);

}  // namespace rlhf::algorithms
