#pragma once
#include "rlhf/algorithms/optimizer.h"
#include "rlhf/control/action_range.h"
#include "rlhf/control/off_policy.h"
#include "rlhf/control/twin_critics.h"
#include "rlhf/models/observation.h"

namespace rlhf::control {

/// Twin delayed deterministic policy gradient (Fujimoto et al. 2018, arXiv:1802.09477). Defaults are
/// Stable-Baselines3's.
struct Td3Config : OffPolicyConfig {
  Td3Config() {
    batch = 256;
    train_every = 1;
    start = 100;
  }

  models::NetworkConfig network{
      .hidden = {400, 300}, .activation = models::Activation::relu, .initial = models::Initial::uniform};
  double learning_rate = 1e-3;    // of policy and critics
  double target_share = 0.005;    // how far the targets move
  std::int64_t policy_every = 2;  // critic updates to one of the policy and the targets
  double exploration = 0.1;       // deviation of the noise on actions, which lie within ±1
  double smoothing = 0.2;         // deviation of the noise on the target policy's actions ...
  double smoothing_limit = 0.5;   // ... and where it is cut

  void fields(Fields& f);
  void validate() const;
};

class Td3Agent {
 public:
  /// Throws rlhf::Error (usage) for an environment whose actions are choices or have no bounds.
  Td3Agent(const environments::Spec& spec, const Td3Config& config);

  Tensor best(const Tensor& observations) const;  // [rows, numbers] within ±1

  struct Update {
    double policy_loss = 0, critic_loss = 0;
  };
  /// One update of the critics, every `policy_every`-th time of policy and targets, too. `noise` is standard normal,
  /// [rows, numbers].
  ///
  ///   a' = clip(pi'(s') + clip(smoothing noise, ±limit), ±1),  y = r + discount min(Q1', Q2')(s', a')
  ///   critics: mse(Q1, y) + mse(Q2, y);  policy: -mean Q1(s, pi(s))
  Update update(const Transitions& batch, const Tensor& noise);

  const ActionRange& range() const { return range_; }
  models::NamedWeights weights() const;
  void save(State& state) const;
  void restore(const State& state);

 private:
  Tensor act(const models::Network& policy, const Tensor& encoded) const;

  Td3Config config_;
  models::Encoder encoder_;
  ActionRange range_;
  std::unique_ptr<models::Network> policy_, policy_target_;
  TwinCritics critics_;
  std::unique_ptr<algorithms::AdamW> policy_optimizer_, critic_optimizer_;
};

/// Trains and returns the agent. See train() in off_policy.h.
std::unique_ptr<Td3Agent> train_td3(environments::VectorEnvironment& environments, const Td3Config& config,
                                    const OffPolicyHooks& hooks, Run& run);

}  // namespace rlhf::control
