#pragma once
#include <filesystem>
#include <functional>

#include "rlhf/control/episodes.h"
#include "rlhf/control/replay.h"
#include "rlhf/control/rollout.h"
#include "rlhf/core/run.h"

namespace rlhf::control {

/// What agents that learn from a replay buffer have in common. Steps of the loop are steps of all environments at once.
struct OffPolicyConfig {
  std::int64_t total_steps = 50000;  // of all environments together
  std::int64_t envs = 1;
  std::int64_t start = 100;         // steps of all environments together, before the first update
  std::int64_t batch = 32;          // rows of a minibatch
  std::int64_t train_every = 4;     // steps of the loop
  std::int64_t gradient_steps = 1;  // updates each time
  ReplayConfig replay;
  std::int64_t report_every = 1000;   // steps of the loop
  std::int64_t checkpoint_every = 0;  // steps of the loop; 0 = at the end only
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

/// An agent, as the loop needs it.
struct OffPolicyAgent {
  /// What to do now, [envs, ...]; `progress` is the share of training behind. Until the buffer is ready the loop passes
  /// `exploring`, and the agent may act at random.
  std::function<Tensor(const Tensor& observations, double progress, bool exploring, Random& random)> act;
  /// What the environment is sent for an action (scaled to its bounds); empty: the action.
  std::function<Tensor(const Tensor& actions)> to_environment;
  /// One update; returns the rows' errors, which become priorities. May be undefined.
  std::function<Tensor(const Transitions& batch, double progress, Random& random)> learn;
  std::function<void(MetricRow& row)> log;
  std::function<void(const std::filesystem::path& folder)> write_model;
  std::function<void(const std::filesystem::path& folder)> read_model;
  std::function<void(State& state)> save;
  std::function<void(const State& state)> restore;
};

struct OffPolicyHooks {
  RewardSource reward;                               // where rewards come from, if not from the environment
  std::function<void(std::int64_t step)> after;      // of each step of the loop
  std::span<const data::Trajectory> demonstrations;  // which the buffer keeps
  /// Every so many steps of the loop, all that was done in them, with states; 0 = never. It may ask questions and refit
  /// a reward model. Checkpoints are then made, and a stop obeyed, where such a rollout ends.
  std::int64_t rollout_steps = 0;
  std::function<void(std::int64_t index, const Rollout& rollout)> rolled_out;
  /// More for the checkpoint than the agent and the loop's own state.
  std::function<void(State& state)> save;
  std::function<void(const State& state)> restore;
};

/// One rollout of `steps` steps of the loop, before anything is learnt, with states: for the first clips.
Rollout play_rollout(const OffPolicyAgent& agent, environments::VectorEnvironment& environments, std::int64_t steps,
                     std::uint64_t seed);

/// Acts and learns in turns; goes on from the run's checkpoint to the same bits, buffer and environments included.
/// Returns early, with a checkpoint, when the run is asked to stop. A run's step is a step of the loop.
void train(const OffPolicyAgent& agent, environments::VectorEnvironment& environments, const OffPolicyConfig& config,
           const OffPolicyHooks& hooks, Run& run);

}  // namespace rlhf::control
