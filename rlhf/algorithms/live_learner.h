#pragma once
#include <cstdint>
#include <string>

#include "rlhf/data/trajectory.h"

namespace rlhf::algorithms {

/// One step as the trainer saw it happen. Times are seconds of the session's clock, which stands still in pauses.
struct LiveStep {
  data::Array observation;  // in which the action was chosen
  data::Action action;
  double begin = 0.0, end = 0.0;  // when its outcome was on the screen
  bool last = false;              // the episode ended with it
};

/// A signal as a learner needs it.
struct LiveSignal {
  std::int64_t id = 0;
  double value = 0.0;
  double time = 0.0;  // of the picture that was on the screen at the press, on the session's clock
};

/// An agent that people shape while it acts. It never sees the environment's reward.
///
/// Everything it does is a function of its construction and of the calls it got: a session's log replays it to the bit.
class LiveLearner {
 public:
  virtual ~LiveLearner() = default;

  virtual data::Action act(const data::Array& observation) = 0;
  virtual void observe(const LiveStep& step) = 0;
  virtual void signal(const LiveSignal& signal) = 0;
  /// Takes back an earlier signal, as far as the method allows; false when it is not known.
  virtual bool undo(std::int64_t id) = 0;
  /// Called when a pause ends: signals from now on are not about steps from before.
  virtual void interrupt() = 0;
  /// Makes what was learnt since the last call effective; called between two ticks.
  virtual void publish() = 0;

  virtual std::int64_t version() const = 0;  // of the published policy; grows with every change
  virtual std::string state() const = 0;     // all that decides what it does from here on, as bytes
};

}  // namespace rlhf::algorithms
