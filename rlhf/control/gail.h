#pragma once
#include "rlhf/control/demonstrations.h"
#include "rlhf/control/ppo.h"

namespace rlhf::control {

/// Generative adversarial imitation learning (Ho & Ermon 2016, arXiv:1606.03476): a discriminator learns to tell what
/// was shown from what the policy does, and PPO is paid for being taken for the expert. Constants of the discriminator
/// are those of the `imitation` library; its PPO's are in examples/control/cart_pole_gail.toml.
struct GailConfig {
  models::NetworkConfig discriminator{.hidden = {32, 32}, .activation = models::Activation::relu};
  double learning_rate = 1e-3;  // of the discriminator
  std::int64_t batch = 1024;    // steps of each side in one of its updates
  std::int64_t updates = 2;     // of it, after each rollout
  PpoConfig ppo;                // of the policy

  void fields(Fields& f);
  void validate() const;
};

/// Which of state and action: logit > 0 says that it was shown.
class Discriminator {
 public:
  /// Numbers it reads are scaled to mean 0 and spread 1 over what was shown. Differs from the library: it keeps running
  /// moments of both sides.
  Discriminator(const environments::Spec& spec, Shown shown, const GailConfig& config);

  Tensor logits(const Shown& steps) const;   // [steps]
  Tensor rewards(const Shown& steps) const;  // [steps]: -log(1 - D) = softplus(logit), no gradient

  /// `updates` steps on  bce(logits(shown), 1) + bce(logits(played), 0), halved; rows drawn by (seed, index).
  void update(const Shown& played, std::int64_t index);

  /// Shares of the newest batches that it took for what they were.
  void log(MetricRow& row) const;
  void save(State& state) const;
  void restore(const State& state);

 private:
  Tensor input(const Shown& steps) const;

  GailConfig config_;
  models::Encoder encoder_;
  std::int64_t choices_ = 0;  // 0: actions are numbers
  Shown shown_;
  Tensor mean_, spread_;
  std::unique_ptr<models::Network> network_;
  std::unique_ptr<algorithms::AdamW> optimizer_;
  double loss_ = 0, knows_shown_ = 0, knows_played_ = 0;
};

/// Trains `agent` in place; see train() in on_policy.h. The environment's own reward is seen by nobody.
void train(models::ActorCritic& agent, environments::VectorEnvironment& environments, const Shown& shown,
           const GailConfig& config, Run& run);

}  // namespace rlhf::control
