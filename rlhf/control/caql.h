#pragma once
#include "rlhf/algorithms/optimizer.h"
#include "rlhf/control/action_range.h"
#include "rlhf/control/maximiser.h"
#include "rlhf/control/off_policy.h"
#include "rlhf/models/observation.h"

namespace rlhf::control {

/// Q-learning for actions that are numbers, without a policy (Ryu et al. 2020, arXiv:1909.12397): the best action is
/// looked for anew, in every state, by an optimiser that can be chosen.
///
/// Differs from the paper: none of its accelerations (tolerances that follow the error, dual filtering, clustering, an
/// action function) and only its squared loss; the bounds that dual filtering would need are ReluMaximum::root_bound.
struct CaqlConfig : OffPolicyConfig {
  CaqlConfig() {
    batch = 64;
    train_every = 1;
    start = 1000;
  }

  models::NetworkConfig network{
      .hidden = {64, 64}, .activation = models::Activation::relu, .initial = models::Initial::uniform};
  MaximiserConfig maximiser;
  double learning_rate = 1e-3;
  double target_share = 0.005;  // how far the target network moves at every update
  double noise_start = 0.5;     // standard deviation of what is added to actions within ±1, at first ...
  double noise_end = 0.05;      // ... and after half of training

  void fields(Fields& f);
  void validate() const;
};

class CaqlAgent {
 public:
  /// Throws rlhf::Error (usage) for an environment whose actions are choices or have no bounds, and for activations
  /// other than relu with an exact maximiser.
  CaqlAgent(const environments::Spec& spec, const CaqlConfig& config);

  Maxima best(const Tensor& observations, Random& random) const;
  Tensor best(const Tensor& observations) const;  // the same ones at every call

  struct Update {
    double loss = 0, value = 0;
    double unproven = 0;  // share of the next states' maxima that an exact maximiser did not prove
    Tensor errors;        // [rows]
  };
  /// y = r + discount Q'(s', argmax Q(s', .)), Q' the target network; loss = mean of weight (Q(s, a) - y)^2.
  Update update(const Transitions& batch, Random& random);

  const ActionRange& range() const { return range_; }
  void save(State& state) const { optimizer_->save(state, "optimizer"); }
  void restore(const State& state) { optimizer_->restore(state, "optimizer"); }
  models::NamedWeights weights() const;  // the network and its target

 private:
  CaqlConfig config_;
  models::Encoder encoder_;
  ActionRange range_;
  std::unique_ptr<models::Network> online_, target_;
  std::unique_ptr<algorithms::AdamW> optimizer_;
};

/// Trains and returns the agent. See train() in off_policy.h.
std::unique_ptr<CaqlAgent> train_caql(environments::VectorEnvironment& environments, const CaqlConfig& config,
                                      const OffPolicyHooks& hooks, Run& run);

}  // namespace rlhf::control
