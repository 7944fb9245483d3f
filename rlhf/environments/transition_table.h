#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace rlhf::environments {

/// One of the things that can come of an action in a world of numbered states.
struct Transition {
  double chance = 1.0;
  std::int64_t next = 0;
  double reward = 0.0;
  bool terminated = false;
};

/// What each action can bring about in each state: P[state][action] of Gymnasium's toy worlds, in their order.
class TransitionTable {
 public:
  explicit TransitionTable(std::int64_t actions) : actions_(actions) {}

  /// The next action of the last state, or the first one of a new state. The chances should sum to 1.
  void add(std::span<const Transition> outcomes);

  std::int64_t states() const { return (std::ssize(begins_) - 1) / actions_; }
  std::span<const Transition> of(std::int64_t state, std::int64_t action) const;
  /// The outcome in whose share `uniform` (0..1) falls.
  const Transition& drawn(std::int64_t state, std::int64_t action, double uniform) const;

 private:
  std::int64_t actions_;
  std::vector<Transition> all_;
  std::vector<std::size_t> begins_ = {0};
};

}  // namespace rlhf::environments
