#pragma once
#include <functional>
#include <map>

#include "rlhf/algorithms/session.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/seed.h"

namespace rlhf::algorithms {

struct TrainerHabits {
  double comments = 0.25;  // share of steps it says something about
  double mistakes = 0.05;  // share of comments with the wrong sign
  double delay = 0.3;      // s, the shortest reaction
  double spread = 0.15;    // s; a Gamma(2, spread) time comes on top, 2 * spread on average

  void fields(Fields& f) {
    f.field("comments", comments, "share of steps that the trainer says something about");
    f.field("mistakes", mistakes, "share of comments with the wrong sign");
    f.field("delay", delay, "seconds of the shortest reaction");
    f.field("spread", spread, "scale of the Gamma-distributed seconds, of shape 2, that come on top");
  }
  void validate() const;
};

/// What somebody who knows the task says of an action in an environment that is as it was before: above 0 good, below
/// 0 bad, 0 nothing.
using Opinion = std::function<double(const environments::Environment& before, std::int64_t action)>;

/// MountainCar, MiniBowl and CartPole: praise for what the scripted agent would do. Throws rlhf::Error (usage) for other
/// environments.
Opinion expert_opinion(const environments::Spec& spec);

/// Watches a session as people do: sees each step's outcome, comments on some, reacts late, is sometimes wrong. What it
/// presses goes the way of a person's presses. A function of its seed and of what it sees.
class ScriptedTrainer : public Audience {
 public:
  /// `memory` is another object of the session's environment, kept one step behind.
  ScriptedTrainer(SessionClock& clock, std::unique_ptr<environments::Environment> memory, Opinion opinion,
                  std::uint64_t seed, TrainerHabits habits = {});

  std::vector<Request> requests() override;
  void acknowledge(std::int64_t, Outcome, std::int64_t) override {}
  void show(const View& view, const environments::Environment& environment) override;

 private:
  void press(double value);

  SessionClock& clock_;
  std::unique_ptr<environments::Environment> memory_;
  Opinion opinion_;
  Random random_;
  TrainerHabits habits_;
  std::string before_;  // the environment's state as it was last seen
  std::multimap<double, feedback::Signal> coming_;
  std::int64_t last_ = 0;
};

}  // namespace rlhf::algorithms
