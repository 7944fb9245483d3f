#pragma once
#include <optional>

#include "rlhf/algorithms/optimizer.h"
#include "rlhf/control/action_range.h"
#include "rlhf/control/off_policy.h"
#include "rlhf/control/twin_critics.h"
#include "rlhf/models/observation.h"

namespace rlhf::control {

/// Soft actor-critic with two critics and a learnt temperature (Haarnoja et al. 2018, arXiv:1812.05905). Defaults are
/// Stable-Baselines3's.
struct SacConfig : OffPolicyConfig {
  SacConfig() {
    batch = 256;
    train_every = 1;
    start = 100;
  }

  models::NetworkConfig network{
      .hidden = {256, 256}, .activation = models::Activation::relu, .initial = models::Initial::uniform};
  double learning_rate = 3e-4;           // of policy, critics and temperature
  double target_share = 0.005;           // how far the target critics move at every update
  std::optional<double> temperature;     // unset: learnt, so that the entropy stays at target_entropy
  std::optional<double> target_entropy;  // nats; unset: minus the actions' numbers

  void fields(Fields& f);
  void validate() const;
};

/// Actions lie within ±1: a normal distribution, squashed by tanh.
class SacAgent {
 public:
  /// Throws rlhf::Error (usage) for an environment whose actions are choices or have no bounds.
  SacAgent(const environments::Spec& spec, const SacConfig& config);

  struct Drawn {
    Tensor actions;   // [rows, numbers] within ±1
    Tensor logprobs;  // [rows] of the squashed actions
  };
  /// tanh(mean + deviation * noise); differentiable.  logprob = sum log N(u) - sum log(1 - tanh(u)^2 + 1e-6)
  Drawn draw(const Tensor& observations, const Tensor& noise) const;
  Tensor best(const Tensor& observations) const;  // tanh(mean)

  struct Update {
    double policy_loss = 0, critic_loss = 0, temperature = 0, entropy = 0;
  };
  /// One update, in this order: temperature, critics, policy, target critics. The noises are standard normal,
  /// [rows, numbers]: of the policy's actions now and of those in the next states.
  ///
  ///   y = r + discount (min(Q1', Q2')(s', a') - alpha log pi(a'|s'))
  ///   critics: 0.5 (mse(Q1, y) + mse(Q2, y));  policy: mean(alpha log pi(a|s) - min(Q1, Q2)(s, a))
  ///   temperature: -mean(log alpha (log pi(a|s) + target entropy))
  Update update(const Transitions& batch, const Tensor& noise, const Tensor& next_noise);

  const ActionRange& range() const { return range_; }
  double temperature() const;

  void save(State& state) const;
  void restore(const State& state);
  models::NamedWeights weights() const;  // policy, critics, their targets, log temperature

 private:
  SacConfig config_;
  models::Encoder encoder_;
  ActionRange range_;
  std::unique_ptr<models::Network> policy_;
  TwinCritics critics_;
  Tensor log_temperature_;  // [1]
  std::unique_ptr<algorithms::AdamW> policy_optimizer_, critic_optimizer_, temperature_optimizer_;
};

/// Trains and returns the agent. See train() in off_policy.h.
std::unique_ptr<SacAgent> train_sac(environments::VectorEnvironment& environments, const SacConfig& config,
                                    const OffPolicyHooks& hooks, Run& run);

}  // namespace rlhf::control
