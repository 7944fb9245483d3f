#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "rlhf/algorithms/session.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/seed.h"

namespace rlhf::recipes {

struct ReactionConfig {
  double comments = 0.15;  // share of steps at which the trainer says something
  double mistakes = 0.0;   // share of presses with the wrong sign
  double delay = 0.2;      // s, mean reaction
  double spread = 0.05;    // s, reactions are uniform within the delay plus and minus this
  double judged = 0.0;     // s of behaviour that a press judges as one; 0 = a single step

  void fields(Fields& f) {
    f.field("comments", comments, "share of steps at which the trainer says something");
    f.field("mistakes", mistakes, "share of presses with the wrong sign");
    f.field("delay", delay, "seconds of its mean reaction");
    f.field("spread", spread, "reactions are uniform within the delay plus and minus these seconds");
    f.field("judged", judged, "seconds of behaviour that a press judges as one; 0 = a single step");
  }
  void validate() const;
};

/// How good a situation is to somebody who knows what they want.
using Merit = std::function<double(const environments::Environment&)>;

/// What a trainer makes of an action in an environment that is as it was before; may step it.
using Verdict = std::function<double(environments::Environment& before, std::int64_t action)>;

/// +1 where no action leads to more merit, else -1: policy-independent.
Verdict action_verdict(Merit merit, std::int64_t actions);

/// The learner's chances of each action as it is now.
using Habits = std::function<std::vector<double>(const data::Array& observation)>;

/// One-step advantage of the action for the learner as it is: the merit it leads to, less what the learner's policy
/// leads to on average.
Verdict advantage_verdict(Merit merit, Habits habits);

/// Watches a session, adds up its verdicts on the last `judged` seconds and at some steps presses the sign of the sum,
/// late. A function of its seed and of what it sees.
class Trainer : public algorithms::Audience {
 public:
  /// `memory`: another object of the session's environment.
  Trainer(algorithms::SessionClock& clock, std::unique_ptr<environments::Environment> memory, Verdict verdict,
          const ReactionConfig& config, double rate, std::uint64_t seed);

  std::vector<algorithms::Request> requests() override;
  void acknowledge(std::int64_t, algorithms::Outcome, std::int64_t) override {}
  void show(const algorithms::View& view, const environments::Environment& environment) override;

 private:
  void press(double value);

  algorithms::SessionClock& clock_;
  std::unique_ptr<environments::Environment> memory_;
  Verdict verdict_;
  ReactionConfig config_;
  std::size_t judged_;  // steps
  Random random_;
  std::string before_;  // the environment's state as it was last seen
  std::int64_t step_ = 0;
  std::deque<double> verdicts_;
  std::multimap<double, feedback::Signal> coming_;
  std::int64_t last_ = 0;
};

}  // namespace rlhf::recipes
