#pragma once
#include <optional>
#include <vector>

#include "rlhf/algorithms/session.h"

namespace rlhf::algorithms {

/// The part of a session that is a pure function of what the clock and people said: live and replayed sessions share
/// it.
struct TickInput {
  double begin = 0.0;                                                // session seconds
  bool hold = false;                                                 // the end of an episode stays on the screen
  std::vector<std::variant<LiveSignal, UndoSignal, Resume>> events;  // in the order they came in
};

struct TickOutput {
  std::int64_t policy_version = 0;
  std::optional<data::Action> action;  // none in a hold
};

nlohmann::json to_json(const TickInput& input, const TickOutput& output);
TickInput tick_input(const nlohmann::json& row);
std::optional<data::Action> action_of(const nlohmann::json& row);

class SessionLoop {
 public:
  SessionLoop(environments::Environment& environment, LiveLearner& learner, std::uint64_t seed);

  /// Returns what became of each event, too.
  /// `taken`: what is done whatever the learner would do.
  TickOutput tick(const TickInput& input, std::vector<Outcome>& outcomes, const data::Action* taken = nullptr);

  bool episode_over() const { return over_; }
  std::int64_t episode() const { return static_cast<std::int64_t>(result_.episodes.size()); }
  std::int64_t step() const { return current_.steps; }
  std::int64_t signals() const { return result_.signals; }
  SessionResult finish(double seconds);

 private:
  void begin_episode();

  environments::Environment& environment_;
  LiveLearner& learner_;
  std::uint64_t seed_;
  data::Array observation_;
  std::optional<LiveStep> shown_;  // the last step, on the screen until the next tick
  Episode current_;
  bool over_ = true;  // a new episode begins with the next step
  SessionResult result_;
};

}  // namespace rlhf::algorithms
