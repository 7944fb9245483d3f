#include "rlhf/environments/two_landmarks.h"

#include <gtest/gtest.h>

#include <set>

#include "rlhf/core/error.h"

namespace rlhf::environments {
namespace {

constexpr std::int64_t up = 0, right = 1, down = 2, left = 3;
using Bytes = std::vector<std::uint8_t>;

TEST(TwoLandmarks, EitherLandmarkEndsTheEpisodeAndTheWantedOneEarnsAReward) {
  for (const auto wanted : {Landmark::tree, Landmark::well}) {
    TwoLandmarks world({.wanted = wanted});
    world.reset(1, {{"state", {1, 4}}});
    const auto tree = world.step(left);
    EXPECT_TRUE(tree.terminated);
    EXPECT_EQ(tree.reward, wanted == Landmark::tree ? 1 : 0);
    world.reset(1, {{"state", {4, 1}}});
    const auto well = world.step(down);
    EXPECT_TRUE(well.terminated);
    EXPECT_EQ(well.reward, wanted == Landmark::well ? 1 : 0);
  }
}

TEST(TwoLandmarks, TheFenceHoldsAndTimeRunsOut) {
  TwoLandmarks world({.max_steps = 3});
  world.reset(1, {{"state", {0, 0}}});
  world.step(down);
  world.step(left);
  EXPECT_EQ(world.now().column, 0);
  EXPECT_EQ(world.now().row, 0);
  const auto step = world.step(up);
  EXPECT_EQ(world.now().row, 1);
  EXPECT_TRUE(step.truncated);
  EXPECT_EQ(steps_to(world.now(), Landmark::tree), 3);
  EXPECT_EQ(steps_to(world.now(), Landmark::well), 5);
}

TEST(TwoLandmarks, ThePictureShowsWhereTheAgentIs) {
  TwoLandmarks world;
  const auto at = [](const Array& picture, int x, int y) {
    return std::get<Bytes>(picture)[static_cast<std::size_t>(y * landmark_side + x)];
  };
  const auto start = world.reset(1, {{"state", {2, 4}}}).observation;
  EXPECT_EQ(at(start, 20, 4), 255) << "row 4 is at the top";
  EXPECT_EQ(at(start, 20, 12), 60);
  EXPECT_EQ(at(start, 4, 4), 150) << "the tree is full";
  EXPECT_EQ(at(start, 36, 36), 60) << "the well is hollow";
  const auto moved = world.step(down).observation;
  EXPECT_EQ(at(moved, 20, 4), 60);
  EXPECT_EQ(at(moved, 20, 12), 255);
}

TEST(TwoLandmarks, BeginsInEveryCellWithoutALandmark) {
  TwoLandmarks world;
  std::set<std::pair<int, int>> cells;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    world.reset(seed);
    cells.insert({world.now().column, world.now().row});
  }
  EXPECT_EQ(cells.size(), 23U);
  EXPECT_FALSE(cells.contains({0, 4}));
  EXPECT_THROW(world.reset(1, {{"state", {0, 4}}}), Error);
  EXPECT_THROW(world.reset(1, {{"state", {5, 0}}}), Error);
}

}  // namespace
}  // namespace rlhf::environments
