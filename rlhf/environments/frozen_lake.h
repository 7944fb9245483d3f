#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/transition_table.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

struct FrozenLakeState {
  std::int64_t cell = 0;    // row * columns + column, from the top left
  std::int64_t facing = 1;  // the last action: for the picture
};

enum class FrozenLakeMap { four, eight };

struct FrozenLakeConfig {
  FrozenLakeMap map = FrozenLakeMap::four;
  bool slippery = true;
  double success_rate = 1.0 / 3.0;  // on slippery ice: chance of going where one means to; else to either side of it
  std::optional<std::int64_t> max_steps;  // unset: 100 on the small map, 200 on the large one

  void fields(Fields& f) {
    f.choice("map", map, {{"4x4", FrozenLakeMap::four}, {"8x8", FrozenLakeMap::eight}}, "which lake");
    f.field("slippery", slippery, "steps may go to either side of where they should");
    f.field("success_rate", success_rate, "on slippery ice: chance of going where one means to");
    f.field("max_steps", max_steps, "the episode is truncated then; 0 = no limit; unset: 100, or 200 on the 8x8 map");
  }
  void validate() const;
};

/// FrozenLake-v1 of Gymnasium 1.4: cross the ice without falling into a hole.
///
///   observation  int64 [1]: the cell, row * columns + column from the top left
///   action       0 left, 1 down, 2 right, 3 up
///   reward       1 at the goal; there and in a hole the episode ends
///   start        the top left cell; option "state": [cell] sets it
///
/// Resets and slips draw from rlhf::Random, not from NumPy's generator; the picture is our own.
class FrozenLakeWorld {
 public:
  using Config = FrozenLakeConfig;
  using State = FrozenLakeState;
  using Observed = std::int64_t;
  static constexpr bool discrete = true, chance = true;

  explicit FrozenLakeWorld(const FrozenLakeConfig& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, std::int64_t action, Random& random) const;
  void observe(const State& state, std::int64_t* out) const { out[0] = state.cell; }
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;
  std::string text(const State& state) const;  // the map; the walker is @

  const TransitionTable& transitions() const { return table_; }

 private:
  FrozenLakeConfig config_;
  Spec spec_;
  TransitionTable table_;
};

extern template class Single<FrozenLakeWorld>;
extern template class Batch<FrozenLakeWorld>;
using FrozenLake = Single<FrozenLakeWorld>;

}  // namespace rlhf::environments
