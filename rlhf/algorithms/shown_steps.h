#pragma once
#include <deque>
#include <utility>

#include "rlhf/algorithms/live_learner.h"

namespace rlhf::algorithms {

/// What a learner knew when each of the last steps was the newest one. A signal's time says which step was on the
/// screen; on its way from there and back others have been added, which whoever pressed had not seen.
template <class Knowledge>
class ShownSteps {
 public:
  void push(const LiveStep& step, Knowledge knowledge) {
    steps_.push_back({step.begin, step.end, std::move(knowledge)});
    while (steps_.front().end < step.end - kept) steps_.pop_front();
  }
  /// As of the step on the screen at this time: the newest that had begun. Null for a time that nothing is known of.
  const Knowledge* at(double time) const {
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step)
      if (step->begin <= time) return &step->knowledge;
    return nullptr;
  }
  void clear() { steps_.clear(); }

 private:
  static constexpr double kept = 1.0;  // s; nobody teaches from further away
  struct Step {
    double begin, end;
    Knowledge knowledge;
  };
  std::deque<Step> steps_;
};

}  // namespace rlhf::algorithms
