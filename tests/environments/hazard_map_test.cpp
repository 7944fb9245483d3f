#include "rlhf/environments/hazard_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "rlhf/environments/rollout.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

/// The fewest hazards on a way that only goes up and right, by a table of its own.
std::int64_t fewest_on_shortest(const HazardMapCells& map) {
  std::vector<std::int64_t> fewest(static_cast<std::size_t>(map.cells()));
  for (std::int64_t cell = 1; cell < map.cells(); ++cell) {
    auto before = std::numeric_limits<std::int64_t>::max();
    if (cell % map.side > 0) before = std::min(before, fewest[static_cast<std::size_t>(cell - 1)]);
    if (cell >= map.side) before = std::min(before, fewest[static_cast<std::size_t>(cell - map.side)]);
    fewest[static_cast<std::size_t>(cell)] = before + map.hazard[static_cast<std::size_t>(cell)];
  }
  return fewest.back();
}

TEST(HazardMap, HidesAPuzzle) {
  for (std::int64_t number = 0; number < 10; ++number) {
    const HazardMapConfig config{.map = number};
    const auto map = make_hazard_map(config);
    EXPECT_EQ(std::count(map.hazard.begin(), map.hazard.end(), true), 30);
    EXPECT_FALSE(map.hazard.front() || map.hazard.back());
    EXPECT_GE(fewest_on_shortest(map), 1);
    std::vector<double> cost;
    for (const bool hazard : map.hazard) cost.push_back(hazard ? 100.0 : 0.0);
    const auto safe = cheapest_route(map, cost, config.most_moves());
    EXPECT_EQ(safe.moves.size(), 24u);
    EXPECT_EQ(safe.cells.back(), map.cells() - 1);
    for (const auto cell : safe.cells) EXPECT_FALSE(map.hazard[static_cast<std::size_t>(cell)]);
  }
}

TEST(HazardMap, IsAFunctionOfItsNumber) {
  EXPECT_EQ(make_hazard_map({.map = 3}).hazard, make_hazard_map({.map = 3}).hazard);
  EXPECT_NE(make_hazard_map({.map = 3}).hazard, make_hazard_map({.map = 4}).hazard);
}

TEST(HazardMap, EveryWalkArrivesAndEarnsItsScore) {
  Single<HazardMapWorld> environment({.map = 1});
  const auto map = make_hazard_map({.map = 1});
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto walk = roll_out(environment, [](const Array&, Random& random) { return Action{random.below(4)}; }, seed);
    EXPECT_TRUE(walk.terminated);
    double earned = 0, hazards = 0;
    for (const double reward : walk.rewards) earned += reward;
    for (std::size_t i = 1; i < walk.observations.size(); ++i)
      hazards += map.hazard[static_cast<std::size_t>(std::get<std::vector<std::int64_t>>(walk.observations[i])[0])];
    const auto moves = static_cast<double>(walk.actions.size());
    EXPECT_LE(moves, 24);
    EXPECT_DOUBLE_EQ(earned, 20 - (moves - 22) - 5 * hazards);
  }
}

TEST(HazardMap, SensorsAreRightAsOftenAsTheySay) {
  std::int64_t right = 0, all = 0;
  for (std::int64_t number = 0; number < 40; ++number) {
    const auto map = make_hazard_map({.map = number});
    for (std::size_t cell = 0; cell < map.hazard.size(); ++cell, ++all) right += map.hazard[cell] == map.sensor[cell];
  }
  EXPECT_NEAR(static_cast<double>(right) / static_cast<double>(all), 0.7, 0.02);
}

TEST(HazardMap, RefusesWhatCannotBe) {
  EXPECT_EQ(error_of([] { make_hazard_map({.detour = 3}); }).category(), Category::usage);
  EXPECT_EQ(error_of([] { make_hazard_map({.hazards = 100}); }).category(), Category::usage);
}

}  // namespace
}  // namespace rlhf::environments
