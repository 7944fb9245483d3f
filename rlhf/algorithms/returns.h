#pragma once
#include <cstdint>
#include <span>

#include "rlhf/core/fields.h"
#include "rlhf/core/tensor.h"

namespace rlhf::algorithms {

struct GaeConfig {
  double gamma = 1.0;    // discount per token, 0..1
  double lambda = 0.95;  // 0: one-step advantage, 1: Monte Carlo (Schulman et al. 2016, arXiv:1506.02438, eq. 16)

  void fields(Fields& f);
  void validate() const;
};

/// What the policy and the value head learn from.
struct Targets {
  Tensor advantages;  // [tokens]
  Tensor returns;     // [tokens], advantages + values
};

/// Generalised advantage estimation over ragged sequences (arXiv:1506.02438, eq. 16).
///
///   rewards  [tokens]  what each token earned, KL penalty included
///   values   [tokens]  the value of the state in which each token was chosen, before it is read
///   starts   [sequences + 1]  where each sequence begins; a sequence may be empty
///
///   delta_t = r_t + gamma V_{t+1} - V_t,  A_t = delta_t + gamma lambda A_{t+1};  A after the last token is 0.
///
/// V after the last token is 0: the sequence ended. Where it only stopped being looked at (an episode that a time limit cut,
/// or that goes on in the next rollout), `after` [sequences] holds the value of the state it stopped in.
///
/// float32 on the CPU; no gradient flows. Throws rlhf::Error if the shapes differ or `starts` doesn't cover the tokens.
Targets gae(const Tensor& rewards, const Tensor& values, std::span<const std::int64_t> starts, const GaeConfig& config = {},
            const Tensor& after = {});

/// Discounted sums of what follows: G_t = r_t + gamma G_{t+1}, per sequence. [tokens]
Tensor discounted_returns(const Tensor& rewards, std::span<const std::int64_t> starts, double gamma);

struct WhitenOptions {
  bool shift_mean = true;  // false keeps the mean and divides the spread only: how rewards are whitened
  bool unbiased = false;   // variance over n - 1; the code of Ziegler et al. 2019 takes it over n, TRL over n - 1
  bool floor_deviation = false;  // divides by deviation + 1e-8, as PPO's code for control does
};

/// Scales to variance 1: (x - mean) / sqrt(variance + 1e-8), and the mean put back when it's not to be shifted.
///
///   values  [tokens]  float32
///   mask    [tokens]  bool or undefined; false = neither counted nor changed
Tensor whiten(const Tensor& values, const Tensor& mask = {}, const WhitenOptions& options = {});

}  // namespace rlhf::algorithms
