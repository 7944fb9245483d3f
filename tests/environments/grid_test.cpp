#include "rlhf/environments/grid.h"

#include <gtest/gtest.h>

#include <numeric>

#include "rlhf/environments/scripted_agent.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

double total(const data::Trajectory& played) {
  return std::accumulate(played.rewards.begin(), played.rewards.end(), 0.0);
}

TEST(Grid, TheWayRoundIsDryAndTheDirectOneWet) {
  Grid grid;
  const auto round = roll_out(grid, [](const Array& o, Random&) { return walk_to_bowl(o, 8); }, 0);
  EXPECT_TRUE(round.terminated);
  EXPECT_EQ(round.actions.size(), 9u);  // up, seven to the right, down
  EXPECT_EQ(total(round), 5.0);
  const auto direct = roll_out(grid, [](const Array&, Random&) -> Action { return std::int64_t{1}; }, 0);
  EXPECT_TRUE(direct.terminated);
  EXPECT_EQ(direct.actions.size(), 7u);
  EXPECT_EQ(total(direct), 5.0 - 6.0);
}

TEST(Grid, FencesHoldAndTimeRunsOut) {
  Grid grid({.max_steps = 3});
  const auto played = roll_out(grid, [](const Array&, Random&) -> Action { return std::int64_t{3}; }, 0);
  EXPECT_EQ(played.observations.back(), Array(std::vector<std::int64_t>{0, 0}));
  EXPECT_TRUE(played.truncated);
  EXPECT_FALSE(played.terminated);
}

TEST(Grid, PicturesShowWhereTheDogIsAndLooks) {
  Grid grid;
  grid.reset(0, {{"cell", {3, 2}}});
  const auto state = grid.state();
  const auto picture = grid.render(160, 107);
  grid.step(std::int64_t{0});
  EXPECT_NE(grid.render(160, 107), picture);
  grid.set_state(state);
  EXPECT_EQ(grid.render(160, 107), picture);
  EXPECT_EQ(error_of([&] { grid.reset(0, {{"cell", {8, 0}}}); }).category(), Category::usage);
  EXPECT_EQ(error_of([&] { grid.set_state(state.substr(1)); }).category(), Category::bad_data);
  EXPECT_EQ(error_of([] { Grid({.columns = 2}); }).where(), "columns");
}

}  // namespace
}  // namespace rlhf::environments
