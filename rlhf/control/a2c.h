#pragma once
#include "rlhf/algorithms/returns.h"
#include "rlhf/algorithms/rms_prop.h"
#include "rlhf/algorithms/schedule.h"
#include "rlhf/control/on_policy.h"

namespace rlhf::control {

/// Advantage actor-critic, the synchronous form of Mnih et al. 2016 (arXiv:1602.01783). Defaults are
/// Stable-Baselines3's; OpenAI Baselines had envs 16, entropy_coefficient 0.01 and a linear schedule.
struct A2cConfig {
  std::int64_t total_steps = 500000;  // of all environments together
  std::int64_t envs = 8;
  std::int64_t steps = 5;  // of each environment in a rollout
  double learning_rate = 7e-4;
  algorithms::ScheduleConfig schedule{.kind = algorithms::Schedule::constant};  // by rollout
  double entropy_coefficient = 0.0;
  double value_coefficient = 0.5;  // of the mean squared error
  bool whiten_advantages = false;  // mean 0, variance 1 over a rollout
  algorithms::GaeConfig gae{.gamma = 0.99, .lambda = 1.0};
  algorithms::RmsPropConfig optimizer;
  std::int64_t report_every = 100;    // rollouts
  std::int64_t checkpoint_every = 0;  // rollouts; 0 = at the end only
  std::uint64_t seed = 0;

  std::int64_t rollouts() const { return total_steps / (envs * steps); }
  OnPolicyPlan plan() const { return {rollouts(), envs * steps, report_every, checkpoint_every}; }
  void fields(Fields& f);
  void validate() const;
};

/// Of one update.
struct A2cMetrics {
  double policy_loss = 0, value_loss = 0, entropy = 0;  // value_loss: mean squared error; entropy: nats a step
  double explained_variance = 0, grad_norm = 0, learning_rate = 0;

  void log(MetricRow& row) const;
};

/// The one update of rollout `index`:  -mean(A log pi(a|s)) + value_coefficient mean((V - R)^2) - entropy_coefficient H
A2cMetrics update(const models::ActorCritic& agent, algorithms::RmsProp& optimizer, const Rollout& rollout,
                  const A2cConfig& config, std::int64_t index);

/// Trains `agent` in place; see train() in on_policy.h.
void train(models::ActorCritic& agent, environments::VectorEnvironment& environments, const A2cConfig& config,
           const OnPolicyHooks& hooks, Run& run);

}  // namespace rlhf::control
