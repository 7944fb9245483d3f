#pragma once
#include <cstdint>
#include <span>

#include "rlhf/core/tensor.h"
#include "rlhf/data/comparison.h"

namespace rlhf::algorithms {

/// For the log. Scalars that stay on the device until a step is reported.
struct PreferenceMetrics {
  Tensor accuracy;  // share of (preferred, other) pairs that the scores order as the labeler did, 0..1; ties left out
  Tensor margin;    // mean gap in score between the preferred item and another, in units of the score
};

struct PreferenceLoss {
  Tensor loss;  // [], nats per judgement
  PreferenceMetrics metrics;
};

/// Bradley-Terry loss of a reward model (Ouyang et al. 2022, arXiv:2203.02155, eq. 1).
///
///   chosen    [pairs]  scores of the completions people preferred
///   rejected  [pairs]  scores of the others
///
/// Throws rlhf::Error if the shapes differ or there is no pair.
PreferenceLoss pairwise_loss(const Tensor& chosen, const Tensor& rejected);

/// Best of N (Ziegler et al. 2019, arXiv:1909.08593, eq. 1): softmax cross-entropy over the items of each judgement. With two
/// items it is the pairwise loss. A tie spreads its weight over both items.
///
///   scores       [items]  the items of all judgements, one after the other; judgements may differ in size
///   comparisons  what was judged; their `items` give the sizes, `strength` weighs them
///
/// `denominator`: total strength of the whole optimiser step when this is a piece of it; 0 = the strength given here.
/// Throws rlhf::Error if the sizes don't add up or a judgement has fewer than two items.
PreferenceLoss best_of_n_loss(const Tensor& scores, std::span<const data::Comparison* const> comparisons, double denominator = 0);

}  // namespace rlhf::algorithms
