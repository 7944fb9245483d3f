#pragma once
#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "rlhf/core/tensor.h"

namespace rlhf::control {

/// Two clips and which was better.
struct ClipComparison {
  Tensor first, second;                          // [steps, ...] what a reward model reads (RewardInputs)
  double preferred = 0.5;                        // 1 the first, 0 the second, 0.5 a tie
  std::optional<std::array<double, 2>> returns;  // what each earned in truth, where that is known
};
using ClipComparisons = std::span<const ClipComparison* const>;

/// [comparisons]
Tensor preferred_of(ClipComparisons comparisons);
/// [2 comparisons] what each clip earned, in the order of ClipRows. Throws rlhf::Error (usage) where that is not known.
Tensor returns_of(ClipComparisons comparisons);

/// The clips of some comparisons, one after the other, as a network reads them.
struct ClipRows {
  Tensor steps;    // [steps of all clips, ...]
  Tensor of_step;  // [steps of all clips] the clip it belongs to
  std::int64_t clips = 0;

  explicit ClipRows(ClipComparisons comparisons);

  /// [2 comparisons]: the sum of `rewards` [steps of all clips] over each clip.
  Tensor sums(const Tensor& rewards) const;
};

/// [comparisons]: the sum over each first clip less that over the second.
Tensor gaps_of(const Tensor& sums);

/// Calls read(piece) for all comparisons. Pictures come a few at a time: those of all clips together would not fit.
void in_pieces(ClipComparisons comparisons, bool pictures, const auto& read) {
  const std::size_t together = pictures ? 2 : comparisons.size();
  for (std::size_t i = 0; i < comparisons.size(); i += together)
    read(comparisons.subspan(i, std::min(together, comparisons.size() - i)));
}

}  // namespace rlhf::control
