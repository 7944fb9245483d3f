#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/transition_table.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

struct CliffWalkingState {
  std::int64_t cell = 36;   // row * 12 + column, from the top left
  std::int64_t facing = 1;  // the last action: for the picture
};

struct CliffWalkingConfig {
  bool slippery = false;       // a third each: where one means to, or to either side of it
  std::int64_t max_steps = 0;  // Gymnasium has no limit

  void fields(Fields& f) {
    f.field("slippery", slippery, "steps may go to either side of where they should");
    f.field("max_steps", max_steps, "the episode is truncated then; 0 = no limit");
  }
  void validate() const;
};

/// CliffWalking-v1 of Gymnasium 1.4 (Sutton and Barto 2018, example 6.6): 4 rows of 12 cells, the lowest a cliff
/// between start and goal.
///
///   observation  int64 [1]: the cell, row * 12 + column from the top left
///   action       0 up, 1 right, 2 down, 3 left
///   reward       -1 a step; -100 for one over the cliff, which leads back to the start; the goal ends the episode
///   start        the bottom left cell, 36; option "state": [cell] sets it
class CliffWalkingWorld {
 public:
  using Config = CliffWalkingConfig;
  using State = CliffWalkingState;
  using Observed = std::int64_t;
  static constexpr bool discrete = true, chance = true;

  explicit CliffWalkingWorld(const CliffWalkingConfig& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, std::int64_t action, Random& random) const;
  void observe(const State& state, std::int64_t* out) const { out[0] = state.cell; }
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;
  std::string text(const State& state) const;  // the map: C cliff, S start, G goal, @ the walker

  const TransitionTable& transitions() const { return table_; }

 private:
  Spec spec_;
  TransitionTable table_;
};

extern template class Single<CliffWalkingWorld>;
extern template class Batch<CliffWalkingWorld>;
using CliffWalking = Single<CliffWalkingWorld>;

}  // namespace rlhf::environments
