#pragma once
#include "rlhf/algorithms/optimizer.h"
#include "rlhf/control/demonstrations.h"
#include "rlhf/core/run.h"

namespace rlhf::control {

/// Behaviour cloning (Pomerleau 1991): the policy learns to do what was shown, a step at a time. Defaults are those of
/// the `imitation` library, whose networks have two layers of 32.
struct BcConfig {
  std::int64_t epochs = 50;  // passes over what was shown
  std::int64_t batch = 32;   // steps in an optimiser step
  double learning_rate = 1e-3;
  double entropy_weight = 1e-3;  // of the policy's entropy, which keeps it from being too sure
  double l2 = 0.0;               // of half the squares of the weights
  algorithms::AdamConfig adam{.max_grad_norm = 0};
  std::int64_t checkpoint_every = 0;  // passes; 0 = at the end only
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

/// Means over the updates of one pass.
struct BcMetrics {
  double negative_logprob = 0, entropy = 0;  // nats a step
  double agreement = 0;                      // share of steps whose likeliest action was the one shown; choices only
  std::int64_t steps = 0;                    // shown

  void log(MetricRow& row) const;
};

struct BcLoss {
  Tensor loss;  // []
  BcMetrics metrics;
};

/// mean(-log pi(a|s)) - entropy_weight H + l2 / 2 |weights|^2
BcLoss bc_loss(const models::ActorCritic& agent, const Shown& batch, const BcConfig& config);

/// One pass in minibatches of steps, shuffled by (seed, pass).
BcMetrics imitate(const models::ActorCritic& agent, algorithms::AdamW& optimizer, const Shown& shown,
                  const BcConfig& config, std::int64_t pass);

/// Trains the policy in place; goes on from the run's checkpoint to the same bits. A run's step is a pass.
void train(models::ActorCritic& agent, const Shown& shown, const BcConfig& config, Run& run);

}  // namespace rlhf::control
