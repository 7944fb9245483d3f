#pragma once
#include "rlhf/control/episodes.h"
#include "rlhf/environments/vector.h"
#include "rlhf/models/actor_critic.h"

namespace rlhf::control {

/// What a policy did in all environments for some steps. Environment by environment, so that an episode's steps are
/// adjacent: `starts` and `after` are what gae() takes.
struct Rollout {
  Tensor observations;  // [envs, steps, ...] in which each action was chosen, as the environment gives them
  Tensor actions;       // [envs, steps] int64, or [envs, steps, numbers] float32, as they were drawn
  Tensor sent;          // the same as the environments were given them, within bounds
  Tensor next;          // [envs, steps, ...] what they led to, an episode's last observation included; where states are
  Tensor logprobs;      // [envs, steps] of the policy that acted
  Tensor values;        // [envs, steps]
  Tensor rewards;       // [envs, steps] float32; the environment's until somebody else's are put in their place
  Tensor earned;        // [envs, steps] float32; what the environment itself gave, whatever learners are shown
  std::vector<std::int64_t> starts;  // where each sequence begins within envs * steps, and the end
  Tensor after;                      // [sequences] value of the state that followed; 0 where the episode terminated
  std::vector<environments::Place> places;  // [envs * steps] which episode each step was of, and which of its steps
  std::vector<std::uint8_t> ended;          // [envs * steps] 1 where it was an episode's last
  std::vector<std::string> states;          // [envs * steps] before each step; empty unless asked for

  std::int64_t steps() const { return rewards.numel(); }
  /// [envs * steps, ...] views
  Tensor flat(const Tensor& of) const { return of.flatten(0, 1); }
};

/// Whoever acts in a Collector's environments.
struct Actor {
  /// What it thinks of what it sees now, [envs, ...]; once for each step, in order. One that remembers, remembers it.
  std::function<models::ActorCritic::Judged(const Tensor& observations)> judge;
  /// [envs] what would come of observations that follow those it judged last; nothing is remembered.
  std::function<Tensor(const Tensor& observations)> values;
  std::function<Tensor(const Tensor& actions)> within_bounds;            // what the environment is sent
  std::function<void(const environments::VectorStep& step)> ended = {};  // where episodes ended; empty: forgets nothing
};

/// Acts in environments, a rollout at a time; episodes go on from one to the next.
///
/// A time limit is no end: the value of the state it cut off counts (Pardo et al. 2018, arXiv:1712.00378).
class Collector {
 public:
  /// Throws rlhf::Error (usage) unless the environments start anew in the same step.
  Collector(environments::VectorEnvironment& environments, Actor actor, std::int64_t steps, std::uint64_t seed);
  Collector(environments::VectorEnvironment& environments, const models::ActorCritic& agent, std::int64_t steps,
            std::uint64_t seed);

  Rollout collect(bool keep_states = false);
  const EpisodeLog& episodes() const { return episodes_; }

  void save(State& state, const std::string& prefix) const;
  void restore(const State& state, const std::string& prefix);

 private:
  Rollout room(bool keep_states) const;
  void act(std::int64_t t, Rollout& rollout, std::vector<float>& after);
  Tensor value_of_cut_off(const environments::VectorStep& step) const;

  environments::VectorEnvironment& environments_;
  Actor actor_;
  std::int64_t steps_;
  Random random_;
  EpisodeLog episodes_;
};

/// Puts steps that somebody else takes into a rollout, with states: what clips are cut from. It has no logprobs, values
/// and nothing after its sequences.
class Recorder {
 public:
  Recorder(std::int64_t environments, std::int64_t steps);

  /// Before the environments take these actions.
  void before(const environments::VectorEnvironment& environments, const Tensor& actions);
  /// What came of it. True when the rollout is full: take() it.
  bool after(const environments::VectorStep& step);
  Rollout take();

 private:
  std::int64_t environments_, steps_, now_ = 0;
  Rollout rollout_;
};

/// What the actions led to, [envs, ...]: an ended episode's last observation, not the next one's first.
Tensor outcomes_of(const environments::VectorStep& step);

/// Bytes as a tensor, for State.
Tensor as_tensor(std::string_view bytes);
std::string as_bytes(const Tensor& tensor);

}  // namespace rlhf::control
