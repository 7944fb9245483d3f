#pragma once
#include <deque>
#include <optional>
#include <string>

#include "rlhf/algorithms/live_learner.h"
#include "rlhf/algorithms/percept.h"

namespace rlhf::algorithms {

/// A step as a policy remembers it.
struct LivePair {
  Percept percept;
  std::int64_t action = 0;
  bool first = false;   // of an episode, or after a pause
  double chance = 1.0;  // of the action, by the policy that acted
};

/// Holds steps back until a trainer can have reacted to them: d decisions, which is the delay in seconds by the ticks
/// as they are measured (the mean of the last thirty), rounded. What people see of a step is on the screen from its
/// begin to its end; a signal of that time meets the step as the newest one observed, with d = 0.
class DelayedSteps {
 public:
  explicit DelayedSteps(double delay) : delay_(delay) {}

  void push(LivePair pair, const LiveStep& step);
  /// The oldest step that is due, once.
  std::optional<LivePair> next();
  /// The steps that wait are forgotten, and the next one is a first.
  void interrupt();

  std::int64_t steps() const;  // d
  void write(std::string& bytes) const;

 private:
  double delay_;              // s
  std::deque<double> ticks_;  // s, the last ones
  std::deque<LivePair> waiting_;
  bool first_ = true;  // the next step begins an episode
};

/// Appends the percept, the action and the rest of it.
void write_pair(std::string& bytes, const LivePair& pair);

}  // namespace rlhf::algorithms
