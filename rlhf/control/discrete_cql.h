#pragma once
#include "rlhf/control/dqn.h"
#include "rlhf/control/offline.h"

namespace rlhf::control {

/// Conservative Q-learning for actions that are choices (Kumar et al. 2020, arXiv:2006.04779): double DQN on recorded
/// steps and a term that holds the values of what nobody did down. Defaults are d3rlpy's.
struct DiscreteCqlConfig : OfflineConfig {
  DiscreteCqlConfig() { batch = 32; }

  models::NetworkConfig network{
      .hidden = {256, 256}, .activation = models::Activation::relu, .initial = models::Initial::uniform};
  double learning_rate = 6.25e-5;
  double alpha = 1.0;                // weight of the conservative term
  std::int64_t target_every = 8000;  // updates between copies to the target network

  /// The same settings, as QLearner takes them.
  DqnConfig learner() const;
  void fields(Fields& f);
  void validate() const;
};

/// huber(Q(s, a) - y) + alpha (log sum_a' exp Q(s, a') - Q(s, a)), means over the rows; y is double DQN's.
DqnLoss discrete_cql_loss(const QNetwork& online, const QNetwork& target, const Transitions& batch,
                          const DiscreteCqlConfig& config);

/// Trains and returns the network. See train_offline().
std::unique_ptr<QNetwork> train_discrete_cql(const environments::Spec& spec, std::span<const data::Trajectory> episodes,
                                             const DiscreteCqlConfig& config, Run& run);

}  // namespace rlhf::control
