#include "rlhf/environments/mini_bowl.h"

#include <gtest/gtest.h>

#include <bit>

#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

constexpr std::int64_t nothing = 0, throw_ball = 1, up = 2, down = 3;
using Bytes = std::vector<std::uint8_t>;

int fallen_at(std::int32_t offset, std::int32_t pins = 1023) {
  return std::popcount(static_cast<std::uint32_t>(pins)) -
         std::popcount(static_cast<std::uint32_t>(pins_after({.aim = 8 + offset, .rack = 8, .pins = pins})));
}

/// Throws, and returns what the ball earned when it arrived.
double roll(MiniBowl& world) {
  EXPECT_EQ(world.step(throw_ball).reward, 0);
  for (int step = 1; step < mini_bowl_roll - 1; ++step) {
    EXPECT_EQ(world.step(up).reward, 0);
    EXPECT_EQ(world.now().now.rolled, step + 1);
  }
  return world.step(up).reward;
}

TEST(MiniBowl, PinsFallByHowFarTheBallIsFromTheHeadPin) {
  // Rows of the pins beside the head pin: 0, ±1, -2 0 2, -3 -1 1 3.
  EXPECT_EQ(fallen_at(0), 10);
  EXPECT_EQ(fallen_at(1), 2 + 2 + 1);  // rows 0, 1 and 2
  EXPECT_EQ(fallen_at(-1), 5);
  EXPECT_EQ(fallen_at(2), 1);
  EXPECT_EQ(fallen_at(-3), 1);
  EXPECT_EQ(fallen_at(4), 0);
  EXPECT_EQ(fallen_at(0, 0b1000000000), 1) << "the last pin, alone, three rows above";
}

TEST(MiniBowl, AStrikeEndsTheFrameAndTwoThrowsDo) {
  MiniBowl world;
  world.reset(1, {{"state", {8, 8}}});
  EXPECT_EQ(roll(world), 10);
  EXPECT_EQ(world.now().frame, 1);
  EXPECT_EQ(world.now().now.pins, 1023);
  EXPECT_EQ(world.now().now.rolled, 0);

  world.reset(1, {{"state", {9, 8}}});
  EXPECT_EQ(roll(world), 5);
  EXPECT_EQ(world.now().frame, 0);
  EXPECT_EQ(world.now().now.rack, 8) << "the same rack";
  EXPECT_EQ(std::popcount(static_cast<std::uint32_t>(world.now().now.pins)), 5);
  roll(world);
  EXPECT_EQ(world.now().frame, 1);
}

TEST(MiniBowl, TheBallIsAimedARowAtATimeAndStaysOnTheLane) {
  MiniBowl world;
  world.reset(0, {{"state", {16, 8}}});
  world.step(up), world.step(up);
  EXPECT_EQ(world.now().now.aim, 17);
  world.step(nothing), world.step(down);
  EXPECT_EQ(world.now().now.aim, 16);
  EXPECT_EQ(error_of([&] { world.reset(0, {{"state", {3, 15}}}); }).category(), Category::usage);
}

TEST(MiniBowl, TheFramesShowWhatHappened) {
  MiniBowl world;
  world.reset(0, {{"state", {0, 3}}});
  const auto first = std::get<Bytes>(world.observation());
  ASSERT_EQ(first.size(), 3200u);
  EXPECT_TRUE(std::equal(first.begin(), first.begin() + 1600, first.begin() + 1600));
  const auto pixel = [](const Bytes& frames, int column, int row) {
    return int(frames[static_cast<std::size_t>(1600 + row * 40 + column)]);
  };
  EXPECT_EQ(pixel(first, 2, 36), 255) << "the ball, at the bottom";
  EXPECT_EQ(pixel(first, 20, 36), 110) << "where it would roll";
  EXPECT_EQ(pixel(first, 32, 30), 200) << "the head pin";
  EXPECT_EQ(pixel(first, 38, 36), 200) << "one of the last row";
  EXPECT_EQ(pixel(first, 20, 0), 0);
  const auto second = std::get<Bytes>(world.step(up).observation);
  EXPECT_TRUE(std::equal(first.begin() + 1600, first.end(), second.begin()));
  EXPECT_EQ(pixel(second, 2, 34), 255);
  EXPECT_EQ(pixel(second, 2, 36), 40);
  world.step(throw_ball);
  const auto rolling = std::get<Bytes>(world.step(nothing).observation);
  EXPECT_EQ(pixel(rolling, 6, 34), 255) << "2 + 30 * 2 / 15";
  EXPECT_EQ(pixel(rolling, 20, 34), 40);
}

double score(const Policy& policy, std::uint64_t seed) {
  MiniBowl world;
  double sum = 0;
  for (const double reward : roll_out(world, policy, seed).rewards) sum += reward;
  EXPECT_EQ(sum, world.now().score);
  return sum;
}

TEST(MiniBowl, WhoAimsWellScoresAHundredAndChanceAQuarter) {
  double chance = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) chance += score(random_choice(MiniBowl().spec()), seed) / 20;
  // A throw at any row earns (10 + 2 (5 + 1 + 1)) / 18 pins, about 1.3; a frame has two.
  EXPECT_NEAR(chance, 25, 6);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    MiniBowl world;
    world.reset(seed);
    std::int64_t steps = 0;
    for (bool over = false; !over; ++steps) over = world.step(bowl_well(world.now().now)).terminated;
    EXPECT_EQ(world.now().score, 100);
    EXPECT_LT(steps, 350);
  }
}

TEST(MiniBowl, TheBestAimIsTheHeadPinUntilItIsMissed) {
  EXPECT_EQ(best_aim({.aim = 2, .rack = 9}), 9);
  const auto left = pins_after({.aim = 10, .rack = 9});  // rows -1 (twice), -2, -3 and 3 stand
  EXPECT_EQ(best_aim({.aim = 12, .rack = 9, .pins = left}), 9) << "dead on all that stands falls";
  EXPECT_EQ(bowl_well({.aim = 9, .rack = 9}), throw_ball);
  EXPECT_EQ(bowl_well({.aim = 3, .rack = 9}), up);
  EXPECT_EQ(bowl_well({.aim = 3, .rolled = 4, .rack = 9}), nothing);
}

}  // namespace
}  // namespace rlhf::environments
