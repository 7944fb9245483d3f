#pragma once
#include "rlhf/algorithms/optimizer.h"
#include "rlhf/control/action_range.h"
#include "rlhf/control/offline.h"
#include "rlhf/control/twin_critics.h"
#include "rlhf/models/observation.h"

namespace rlhf::control {

/// Conservative Q-learning for actions that are numbers (Kumar et al. 2020, arXiv:2006.04779): soft actor-critic on
/// recorded steps, whose critics are held down wherever nobody acted. Defaults are d3rlpy's.
struct CqlConfig : OfflineConfig {
  models::NetworkConfig network{
      .hidden = {256, 256}, .activation = models::Activation::relu, .initial = models::Initial::uniform};
  double policy_learning_rate = 1e-4;  // of the temperature and the weight alpha, too
  double critic_learning_rate = 3e-4;
  double target_share = 0.005;  // how far the target critics move at every update
  double initial_temperature = 1.0;
  double conservative_weight = 5.0;  // of the conservative loss, beside alpha
  std::optional<double> alpha;       // fixed; unset: learnt from 1, so that the gap between values stays at ...
  double threshold = 10.0;           // ... this
  std::int64_t samples = 10;         // actions drawn for each of the three parts of the log-sum-exp

  void fields(Fields& f);
  void validate() const;
};

class CqlAgent {
 public:
  /// Throws rlhf::Error (usage) for an environment whose actions are choices or have no bounds.
  CqlAgent(const environments::Spec& spec, const CqlConfig& config);

  /// What chance decides in an update.
  struct Noise {
    Tensor now, next;  // [rows * samples, numbers] standard normal: of the policy's actions here and in the next state
    Tensor uniform;    // [rows * samples, numbers] within ±1
    Tensor policy;     // [rows, numbers] standard normal: of the policy's own update
  };
  Noise noise(std::int64_t rows, Random& random) const;

  struct Update {
    double critic_loss = 0, policy_loss = 0;
    double conservative_loss = 0;  // times alpha, part of critic_loss
    double temperature = 0, alpha = 0;
    double value = 0;  // mean Q of what was done
  };
  /// One update, in this order: alpha, critics, temperature, policy, target critics.
  ///
  ///   y = r + discount min(Q1', Q2')(s', tanh(mean(s')))
  ///   gap = mean(log sum exp over 3 samples of (Q(s, a) - log density(a)) - Q(s, a shown))
  ///   conservative = weight (gap - threshold)
  ///   critics: sum over both of mse(Q, y) + alpha conservative;  alpha: -alpha conservative, by log alpha
  ///   temperature: -t (log pi + target), t = exp(log t), target = minus the actions' numbers
  ///   policy: mean(t log pi(a|s) - min(Q1, Q2)(s, a))
  Update update(const Transitions& batch, const Noise& noise);

  Tensor best(const Tensor& observations) const;  // tanh(mean)
  const ActionRange& range() const { return range_; }

  void save(State& state) const;
  void restore(const State& state);
  models::NamedWeights weights() const;  // policy, critics, their targets, log temperature, log alpha

 private:
  struct Drawn {
    Tensor actions, logprobs;  // [rows, numbers], [rows]
  };
  Drawn draw(const Tensor& encoded, const Tensor& noise) const;
  Tensor conservative(int critic, const Tensor& encoded, const Tensor& next_encoded, const Transitions& batch,
                      const Noise& noise) const;

  CqlConfig config_;
  models::Encoder encoder_;
  ActionRange range_;
  std::unique_ptr<models::Network> policy_;
  TwinCritics critics_;
  Tensor log_temperature_, log_alpha_;  // [1]
  std::unique_ptr<algorithms::AdamW> policy_optimizer_, critic_optimizer_, temperature_optimizer_, alpha_optimizer_;
};

/// Trains and returns the agent. See train_offline().
std::unique_ptr<CqlAgent> train_cql(const environments::Spec& spec, std::span<const data::Trajectory> episodes,
                                    const CqlConfig& config, Run& run);

}  // namespace rlhf::control
