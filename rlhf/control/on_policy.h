#pragma once
#include <filesystem>
#include <functional>

#include "rlhf/control/rollout.h"
#include "rlhf/core/run.h"

namespace rlhf::control {

/// How long an agent trains that learns from what it just did, and when that is written down. All but `per_rollout`
/// count rollouts.
struct OnPolicyPlan {
  std::int64_t rollouts = 0;
  std::int64_t per_rollout = 0;  // steps of all environments together
  std::int64_t report_every = 1;
  std::int64_t checkpoint_every = 0;  // 0 = at the end only
};

/// Such an agent, as the loop needs it.
struct OnPolicyAgent {
  std::function<void(std::int64_t index, const Rollout& rollout)> learn;
  std::function<void(MetricRow& row)> log;  // of the last learn
  std::function<void(const std::filesystem::path& folder)> write_model;
  std::function<void(const std::filesystem::path& folder)> read_model;
  std::function<void(State& state)> save;
  std::function<void(const State& state)> restore;
};

struct OnPolicyHooks {
  /// What the learner is given for a rollout, [envs, steps] float32; empty: the environment's own rewards.
  std::function<Tensor(const Rollout& rollout)> reward;
  /// After the updates of rollout `index`; it may ask questions, refit a reward model, evaluate.
  std::function<void(std::int64_t index, const Rollout& rollout)> after;
  /// More for the row of metrics; before `after` of the same rollout.
  std::function<void(MetricRow& row)> log;
  /// More for the checkpoint than the agent's and the collector's own state.
  std::function<void(State& state)> save;
  std::function<void(const State& state)> restore;
  bool keep_states = false;  // rollouts hold the environments' states
};

/// Acts for a rollout and learns from it, in turns; goes on from the run's checkpoint to the same bits. Returns early,
/// with a checkpoint, when the run is asked to stop. A run's step is a rollout.
void train(const OnPolicyAgent& agent, Collector& collector, const OnPolicyPlan& plan, const OnPolicyHooks& hooks,
           Run& run);

}  // namespace rlhf::control
