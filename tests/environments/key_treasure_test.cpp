#include "rlhf/environments/key_treasure.h"

#include <gtest/gtest.h>

#include <numeric>

#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

constexpr std::int64_t up = 0, right = 1, down = 2, left = 3;
using Bytes = std::vector<std::uint8_t>;

/// The cells of a plane that are lit, as column + 10 * row.
std::vector<int> lit(const Array& observation, int plane) {
  const auto& bytes = std::get<Bytes>(observation);
  std::vector<int> cells;
  for (int row = 0; row < 9; ++row)
    for (int column = 0; column < 9; ++column)
      if (bytes[static_cast<std::size_t>((plane * 9 + row) * 9 + column)]) cells.push_back(column + 10 * row);
  return cells;
}

double play(KeyTreasure& world, std::initializer_list<std::int64_t> actions) {
  double sum = 0;
  for (const auto action : actions) sum += world.step(action).reward;
  return sum;
}

TEST(KeyTreasure, KeyOpensTheDoorAndTreasureEndsTheRound) {
  KeyTreasure world;
  world.reset(0, {{"state", {1, 0}}});
  EXPECT_EQ(lit(world.observation(), 1), std::vector{0});
  auto step = world.step(left);
  EXPECT_EQ(step.reward, 1);
  EXPECT_EQ(lit(step.observation, 5), std::vector{0});  // it lights up once
  EXPECT_EQ(play(world, {up, up, right, right, right, right}), 0);
  EXPECT_EQ(lit(world.observation(), 1), std::vector{24});  // carried
  EXPECT_EQ(lit(world.observation(), 5), std::vector<int>{});
  EXPECT_EQ(play(world, {down}), 0);
  step = world.step(right);
  EXPECT_EQ(step.reward, 1);
  EXPECT_EQ(lit(step.observation, 5), std::vector{15});
  EXPECT_EQ(lit(step.observation, 1), std::vector<int>{});
  EXPECT_EQ(play(world, {right, up, up, up, right, up, up, left, up, up, right}), 0);
  step = world.step(right);
  EXPECT_EQ(step.reward, 5);
  EXPECT_TRUE(step.terminated);
  EXPECT_FALSE(step.truncated);
  EXPECT_EQ(lit(step.observation, 3), std::vector<int>{});
}

TEST(KeyTreasure, ADoorWithoutKeyIsAWallAndLavaCostsEachStep) {
  KeyTreasure world;
  world.reset(0, {{"state", {3, 1}}});
  EXPECT_EQ(play(world, {right, right, right}), 0);
  EXPECT_EQ(lit(world.observation(), 0), std::vector{14});
  EXPECT_EQ(play(world, {left, left, left}), -1);
  EXPECT_EQ(play(world, {left}), 0);
}

TEST(KeyTreasure, TheLeverLightsTheDoorAsOftenAsItIsSteppedOn) {
  KeyTreasure world;
  world.reset(0, {{"state", {0, 3}}});
  EXPECT_EQ(play(world, {up}), 0);
  EXPECT_EQ(lit(world.observation(), 5), std::vector{15});
  EXPECT_EQ(lit(world.observation(), 2).size(), lit(KeyTreasure().observation(), 2).size());  // and it stays shut
  EXPECT_EQ(play(world, {right}), 0);  // against the wall: still on it, but not stepped on
  EXPECT_EQ(lit(world.observation(), 5), std::vector<int>{});
  EXPECT_EQ(play(world, {down, up}), 0);
  EXPECT_EQ(lit(world.observation(), 5), std::vector{15});
}

TEST(KeyTreasure, AnEndlessWorldBeginsAnewAndSaysNothing) {
  KeyTreasure world({.steps = 3, .continuing = true});
  world.reset(7, {{"state", {0, 0}}});
  for (int i = 0; i < 100; ++i) {
    const auto step = world.step(left);
    EXPECT_FALSE(step.terminated || step.truncated);
    if (i % 4 == 2) EXPECT_EQ(world.now().over, 1) << i;
    if (i % 4 == 3) EXPECT_EQ(world.now().steps, 0) << i;
  }
}

TEST(KeyTreasure, ChanceHardlyEverFindsTheTreasureAndWhoKnowsTheWayNearlyAlways) {
  KeyTreasure world;
  const auto any = random_choice(world.spec());
  int found = 0, shown = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed)
    found += roll_out(world, any, seed, {.keep_states = false}).terminated;
  EXPECT_LE(found, 10);  // 0.5 %
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto played = demonstrate({}, seed, 0.15);
    EXPECT_LT(std::get<Bytes>(played.observations[0]).size(), 1000u);
    for (const auto cell : lit(played.observations[0], 0)) EXPECT_LT(cell, 40);  // the lower half
    shown += played.terminated;
  }
  EXPECT_GE(shown, 90);
}

TEST(KeyTreasure, PixelsShowThePictureBeforeAndTheOneNow) {
  KeyTreasure world({.view = KeyTreasureView::pixels});
  const auto first = std::get<Bytes>(world.reset(3, {{"state", {0, 0}}}).observation);
  ASSERT_EQ(first.size(), 2u * 36 * 36);
  EXPECT_TRUE(std::equal(first.begin(), first.begin() + 36 * 36, first.begin() + 36 * 36));
  const auto second = std::get<Bytes>(world.step(up).observation);
  EXPECT_TRUE(std::equal(second.begin(), second.begin() + 36 * 36, first.begin() + 36 * 36));
  EXPECT_NE(second, first);
}

TEST(KeyTreasure, RefusesStartsInWallsAndStatesThatCannotBe) {
  KeyTreasure world;
  EXPECT_EQ(error_of([&] { world.reset(0, {{"state", {5, 4}}}); }).category(), Category::usage);
  EXPECT_EQ(error_of([&] { world.reset(0, {{"state", {5, 1}}}); }).category(), Category::usage);  // the door
  EXPECT_EQ(error_of([&] { world.set_state("nothing"); }).category(), Category::bad_data);
  EXPECT_EQ(error_of([] { KeyTreasure({.steps = 0}); }).where(), "steps");
}

}  // namespace
}  // namespace rlhf::environments
