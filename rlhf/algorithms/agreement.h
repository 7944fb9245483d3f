#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "rlhf/core/tensor.h"
#include "rlhf/data/comparison.h"

namespace rlhf::algorithms {

/// How often scores order pairs as the labeler did, among pairs whose gap in score lies in a range.
struct MarginBin {
  double from = 0, to = 0;  // |gap|, units of the score
  double accuracy = 0;      // 0..1
  std::int64_t pairs = 0;
};

struct PairAccuracy {
  double accuracy = 0;          // share of (preferred, other) pairs ordered right, ties in score count half
  double low = 0, high = 0;     // 95% Wilson interval; pairs of one judgement are not independent, so it is a little too narrow
  std::int64_t pairs = 0;
  std::vector<MarginBin> bins;  // quarters of the pairs by gap: a calibrated model is surer where it is right
};

/// scores: [items] of all comparisons, one after the other. Ties among the comparisons are left out.
PairAccuracy pair_accuracy(const Tensor& scores, std::span<const data::Comparison> comparisons);

}  // namespace rlhf::algorithms
