#pragma once
#include <array>
#include <vector>

#include "rlhf/core/fields.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

/// What a cell looks like from afar, from safe to dangerous.
enum class Terrain : std::int8_t { rock, meadow, wood, marsh };

/// A square map with hidden hazards. Cells count row by row from the bottom left corner.
struct HazardMapCells {
  std::int64_t side = 12;
  std::vector<Terrain> terrain;  // [cells]
  std::vector<bool> hazard;      // [cells], hidden; never at the two corners
  std::vector<bool> sensor;      // [cells], what a sensor says of it: right in 70 of 100

  std::int64_t cells() const { return side * side; }
  std::int64_t to_go(std::int64_t cell) const;  // moves to the far corner on a straight way
  /// The cell behind a move (0 up, 1 right, 2 down, 3 left); the same cell at the edge.
  std::int64_t beside(std::int64_t cell, std::int64_t move) const;
};

struct HazardMapConfig {
  std::int64_t side = 12;
  std::int64_t hazards = 30;
  std::int64_t detour = 2;       // moves that a route may be longer than the shortest, even
  double sensor_accuracy = 0.7;  // chance that a cell's sensor says what is there
  std::int64_t map = 0;          // number of the map: another one for each

  void fields(Fields& f) {
    f.field("side", side, "cells on each side, 6 to 20");
    f.field("hazards", hazards, "hidden in the map, up to a quarter of the cells");
    f.field("detour", detour, "moves that a route may be longer than the shortest, even");
    f.field("sensor_accuracy", sensor_accuracy, "chance that a cell's sensor says what is there, 0 to 1");
    f.field("map", map, "number of the map");
  }
  void validate() const;
  std::int64_t most_moves() const { return 2 * (side - 1) + detour; }
};

/// A map on which no shortest route is free of hazards, but one within the detour is. Terrain comes in patches; most
/// hazards lie in marsh.
HazardMapCells make_hazard_map(const HazardMapConfig& config);

/// A route from corner to corner.
struct HazardRoute {
  std::vector<std::int64_t> cells;  // entered one after the other, the start left out
  std::vector<std::int64_t> moves;  // the action of each
};

/// The cheapest route within the limit of moves, where entering a cell costs 1 + cost[cell]; equal costs are decided in
/// favour of lower actions.
HazardRoute cheapest_route(const HazardMapCells& map, const std::vector<double>& cost, std::int64_t most_moves);

/// A walk from the bottom left to the top right corner of a map whose hazards nobody sees (Leike et al. 2018,
/// arXiv:1811.07871, is about judging such outcomes with help).
///
///   observation  int64 [1]: the cell
///   action       0 up, 1 right, 2 down, 3 left; at the edge nothing moves
///   reward       -1 a move, -5 more in a hazard, 20 + the length of the shortest route on arrival: a route earns
///                20 - moves beyond the shortest - 5 for each hazard
///   start        bottom left
///
/// Every route arrives: where a move would leave too few to get there, the walker goes right instead, or up at the
/// right edge.
class HazardMapWorld {
 public:
  using Config = HazardMapConfig;
  struct State {
    std::int64_t cell = 0, moves = 0;
  };
  using Observed = std::int64_t;
  static constexpr bool discrete = true, chance = false;

  explicit HazardMapWorld(const HazardMapConfig& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, std::int64_t action) const;
  void observe(const State& state, std::int64_t* out) const { out[0] = state.cell; }
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;

  const HazardMapCells& map() const { return map_; }
  const HazardMapConfig& config() const { return config_; }

 private:
  HazardMapConfig config_;
  HazardMapCells map_;
  Spec spec_;
};

extern template class Single<HazardMapWorld>;
extern template class Batch<HazardMapWorld>;

}  // namespace rlhf::environments
