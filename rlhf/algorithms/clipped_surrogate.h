#pragma once
#include "rlhf/core/tensor.h"

namespace rlhf::algorithms {

/// Scalars that stay on the device. Means are over `denominator`, so those of the pieces of one step add up; `ratio_max`
/// is the exception: take the largest.
struct PolicyMetrics {
  Tensor approx_kl;      // 0.5 * mean((logprob - old)^2), nats; as TRL has it
  Tensor kl;             // mean(ratio - 1 - log ratio), nats: unbiased and never negative; as Stable-Baselines3 has it
  Tensor clip_fraction;  // share of tokens whose clipped term was the larger one, 0..1
  Tensor ratio;          // mean probability ratio
  Tensor ratio_max;      // largest ratio
};

struct PolicyLoss {
  Tensor loss;  // []
  PolicyMetrics metrics;
};

/// What the clipped policy loss reads; all [tokens], for text one entry a token, for control one a step.
struct PolicyTerms {
  Tensor logprobs;      // of the policy being trained; the only one with a gradient
  Tensor old_logprobs;  // of the policy that acted
  Tensor advantages;
  Tensor mask;          // bool, false = does not count; undefined = all count
};

/// The clipped surrogate (Schulman et al. 2017, arXiv:1707.06347, eq. 7), as a loss:
///
///   mean over tokens of max(-A ratio, -A clip(ratio, 1 - clip, 1 + clip)),  ratio = exp(logprob - old logprob)
///
/// `denominator`: tokens of the whole optimiser step when these are only a piece of it; 0 = the tokens that count here.
/// Throws rlhf::Error if the shapes differ or nothing counts.
PolicyLoss clipped_policy_loss(const PolicyTerms& terms, double clip, double denominator = 0);

struct ValueMetrics {
  Tensor clip_fraction;  // share of tokens whose clipped error was the larger one, 0..1
  Tensor error;          // mean squared error, unclipped
};

struct ValueLoss {
  Tensor loss;  // []
  ValueMetrics metrics;
};

/// What the clipped value loss reads; all [tokens].
struct ValueTerms {
  Tensor values;      // of the head being trained; the only one with a gradient
  Tensor old_values;  // when the batch was collected
  Tensor returns;
  Tensor mask;        // as above
};

/// 0.5 * mean over tokens of max((V - R)^2, (clip(V, V_old - clip, V_old + clip) - R)^2)  (released code of Ziegler et al. 2019).
ValueLoss clipped_value_loss(const ValueTerms& terms, double clip, double denominator = 0);

/// 1 - var(returns - values) / var(returns): 1 is perfect, 0 no better than a constant. NaN when the returns are constant.
double explained_variance(const Tensor& values, const Tensor& returns);

}  // namespace rlhf::algorithms
