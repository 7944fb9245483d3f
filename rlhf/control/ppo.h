#pragma once
#include <functional>
#include <optional>

#include "rlhf/algorithms/optimizer.h"
#include "rlhf/algorithms/returns.h"
#include "rlhf/algorithms/schedule.h"
#include "rlhf/control/on_policy.h"

namespace rlhf::control {

/// PPO (Schulman et al. 2017, arXiv:1707.06347) for agents in environments, with the details of its public code (Huang
/// et al. 2022, "The 37 implementation details"). Defaults are those of CleanRL for classic control. Surrogate, value
/// loss and advantages are the functions that text uses, too (rlhf/algorithms/).
struct PpoConfig {
  std::int64_t total_steps = 500000;  // of all environments together
  std::int64_t envs = 4;
  std::int64_t steps = 128;      // of each environment in a rollout
  std::int64_t epochs = 4;       // passes over a rollout
  std::int64_t minibatch = 128;  // steps in an optimiser step
  double learning_rate = 2.5e-4;
  algorithms::ScheduleConfig schedule;     // of the learning rate, by rollout
  double clip = 0.2;                       // ratio kept within 1 ± clip
  bool clip_follows = false;               // clip shrinks as the learning rate does
  std::optional<double> value_clip = 0.2;  // value kept within ± this of the old one; unset: not clipped
  double entropy_coefficient = 0.01;
  double value_coefficient = 0.5;   // of half the mean squared error, as CleanRL's; SB3's 0.5 of all of it is 1 here
  bool whiten_advantages = true;    // mean 0, variance 1 over a minibatch
  std::optional<double> target_kl;  // nats; a minibatch that finds the policy 1.5 times this far away ends the updates
  algorithms::GaeConfig gae{.gamma = 0.99, .lambda = 0.95};
  algorithms::AdamConfig adam{.epsilon = 1e-5, .max_grad_norm = 0.5};
  std::int64_t report_every = 1;      // rollouts
  std::int64_t checkpoint_every = 0;  // rollouts; 0 = at the end only
  std::uint64_t seed = 0;

  std::int64_t rollouts() const { return total_steps / (envs * steps); }
  OnPolicyPlan plan() const { return {rollouts(), envs * steps, report_every, checkpoint_every}; }
  void fields(Fields& f);
  void validate() const;
};

/// Means over the updates of one rollout; names are Stable-Baselines3's.
struct PpoMetrics {
  double policy_loss = 0, value_loss = 0, entropy = 0;  // entropy: nats a step
  double approx_kl = 0, clip_fraction = 0;              // 0.5 mean (log ratio)^2, nats; share
  double explained_variance = 0;                        // of the returns, by the values the rollout was made with
  double grad_norm = 0;                                 // of the last update, before clipping
  double learning_rate = 0, clip = 0;
  std::int64_t updates = 0;  // optimiser steps

  void log(MetricRow& row) const;
};

/// How the policy that is trained judges a rollout's steps.
struct PpoJudge {
  /// Policy and values of steps, [rows] indices into the flat rollout; differentiable.
  std::function<models::ActorCritic::Judged(const Tensor& rows)> judge;
  std::int64_t together = 1;  // so many adjacent steps are always in one minibatch, in order
};

/// The updates of rollout `index`: `epochs` passes in minibatches of steps, shuffled by (seed, index, pass).
PpoMetrics update(const PpoJudge& policy, algorithms::AdamW& optimizer, const Rollout& rollout, const PpoConfig& config,
                  std::int64_t index);
PpoMetrics update(const models::ActorCritic& agent, algorithms::AdamW& optimizer, const Rollout& rollout,
                  const PpoConfig& config, std::int64_t index);

using PpoHooks = OnPolicyHooks;

/// Trains `agent` in place; goes on from the run's checkpoint to the same bits. Returns early, with a checkpoint, when
/// the run is asked to stop. A run's step is a rollout.
void train(models::ActorCritic& agent, environments::VectorEnvironment& environments, const PpoConfig& config,
           const PpoHooks& hooks, Run& run);

}  // namespace rlhf::control
