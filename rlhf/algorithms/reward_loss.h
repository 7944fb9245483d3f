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

/// Bradley-Terry loss when a share of the answers is a coin toss (Christiano et al. 2017, arXiv:1706.03741, section 2.2.3):
///
///   P = (1 - noise) sigmoid(gap) + noise / 2,   loss = -mean(preferred log P + (1 - preferred) log(1 - P))
///
///   gap        [pairs]  score of the first item less that of the second; cut to ±50
///   preferred  [pairs]  1 the first, 0 the second, 0.5 a tie
///
/// A pair that is confidently wrong pulls the less the surer it is: with noise 0.1 and gap -6, 0.042 instead of 0.998.
Tensor noisy_pairwise_loss(const Tensor& gap, const Tensor& preferred, double noise);
/// That of each pair, [pairs].
Tensor noisy_pairwise_losses(const Tensor& gap, const Tensor& preferred, double noise);

}  // namespace rlhf::algorithms
