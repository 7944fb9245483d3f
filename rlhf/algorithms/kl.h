#pragma once
#include <cstdint>
#include <string>

#include "rlhf/core/fields.h"
#include "rlhf/core/run.h"
#include "rlhf/core/tensor.h"

namespace rlhf::algorithms {

/// Per-token estimators of KL(policy || reference) from samples of the policy, with d = logprob - reference logprob.
enum class KlEstimator {
  k1,  // d: unbiased, may be negative
  k2,  // d^2 / 2: biased, never negative, low variance
  k3,  // exp(-d) - 1 + d: unbiased, never negative
};

/// [tokens] from [tokens], nats; differentiable in `logprobs`.
Tensor estimate_kl(KlEstimator estimator, const Tensor& logprobs, const Tensor& reference_logprobs);

enum class KlControl {
  fixed,     // the coefficient stays as it is
  adaptive,  // it is steered so that the KL of a completion stays near the target
};

struct KlConfig {
  KlControl control = KlControl::adaptive;
  double coefficient = 0.2;   // beta, reward per nat; the first one when adaptive
  double target = 6.0;        // nats per completion, adaptive only
  double horizon = 10000;     // completions (not updates) over which the coefficient can change by a factor of about e^0.2
  KlEstimator estimator = KlEstimator::k1;  // what is subtracted from the reward, and what is logged

  void fields(Fields& f);
  void validate() const;
};

/// The KL coefficient and how it moves (Ziegler et al. 2019, arXiv:1909.08593, section 2.2).
///
///   e = clip(KL / target - 1, -0.2, 0.2),  beta <- beta * (1 + e * completions / horizon)
class KlController {
 public:
  explicit KlController(const KlConfig& config) : config_(config), coefficient_(config.coefficient) {}

  double coefficient() const { return coefficient_; }

  /// `kl`: nats per completion, mean over the batch, measured before the update. `completions`: how many it was taken over.
  void update(double kl, std::int64_t completions);

  void save(State& state) const;
  void restore(const State& state);

 private:
  KlConfig config_;
  double coefficient_;
};

}  // namespace rlhf::algorithms
