#pragma once
#include "rlhf/control/dqn.h"

namespace rlhf::control {

/// Deep Q-learning from demonstrations (Hester et al. 2018, arXiv:1704.03732) with the constants of Ibarz et al. 2018
/// (arXiv:1811.06521), which trains it on a learnt reward: double, duelling, prioritised, on one step and on `n`.
struct DqfdConfig : DqnConfig {
  double margin = 1.0;                // by which a demonstrated action is to be worth more than any other
  double margin_weight = 1.0;         // of the loss of demonstrations
  double td_weight = 1.0;             // of the two temporal-difference losses; 0 = imitation alone
  double l2 = 1e-5;                   // of the squares of all weights
  std::int64_t pretrain_updates = 0;  // minibatches of demonstrations before it acts

  DqfdConfig();
  void fields(Fields& f);
  void validate() const;
};

/// J = mean(w (huber(y1 - Q) + huber(yn - Q))) + margin_weight J_E + l2 |weights|^2; huber is the squared error without
/// DqnConfig::huber.
///
///   y       r + discount * Q'(s', argmax Q*(s', .)), after one step and after n
///   J_E     mean over all rows of max_a (Q(s, a) + margin [a != a_E]) - Q(s, a_E), 0 where nobody showed it
///   errors  those of one step
///
/// Needs a batch with first steps (ReplayConfig::first_steps) and, where there are demonstrations, `demonstrated`.
DqnLoss dqfd_loss(const QNetwork& online, const QNetwork& target, const Transitions& batch, const DqfdConfig& config);

class DqfdLearner {
 public:
  DqfdLearner(const environments::Spec& spec, const DqfdConfig& config);

  /// `updates` minibatches of demonstrations alone, under this reward (empty: the environment's own). A function of the
  /// seed and `round`. The first update begins with a copy to the target network.
  void pretrain(std::span<const data::Trajectory> demonstrations, const RewardSource& reward, std::int64_t updates,
                std::uint64_t round);

  /// As train() of off_policy.h. What was trained before is overwritten by the run's checkpoint, if there is one.
  void train(environments::VectorEnvironment& environments, const OffPolicyHooks& hooks, Run& run);

  OffPolicyAgent agent() { return learner_.agent(0); }
  const QNetwork& network() const { return learner_.network(); }

 private:
  environments::Spec spec_;
  DqfdConfig config_;
  QLearner learner_;
};

}  // namespace rlhf::control
