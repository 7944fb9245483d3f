#include "rlhf/environments/wrappers.h"

#include <gtest/gtest.h>

#include "rlhf/environments/cart_pole.h"
#include "rlhf/environments/grid.h"
#include "rlhf/environments/key_treasure.h"
#include "rlhf/environments/pendulum.h"
#include "rlhf/environments/rollout.h"
#include "rlhf/environments/table.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

using Names = std::vector<std::string>;
using Whole = std::vector<std::int64_t>;
constexpr std::int64_t up = 0, right = 1;

std::unique_ptr<Environment> around(std::unique_ptr<Environment> environment, const Names& names) {
  return wrapped(std::move(environment), names);
}

TEST(Wrappers, ATimeLimitTruncates) {
  const auto world = around(std::make_unique<Grid>(), {"time_limit 2"});
  EXPECT_EQ(world->spec().max_steps, 2);
  world->reset(0);
  EXPECT_FALSE(world->step(up).truncated);
  const auto last = world->step(up);
  EXPECT_TRUE(last.truncated);
  EXPECT_FALSE(last.terminated);
  EXPECT_THROW(world->step(up), Error);
}

TEST(Wrappers, AFixedHorizonSwallowsTheEndAndGoesOnFromAnotherStart) {
  const auto world = around(std::make_unique<CartPole>(), {"fixed_horizon 100"});
  CartPole plain;
  world->reset(3);
  plain.reset(3);
  int falls = 0;
  for (int t = 1; t <= 100; ++t) {
    const auto step = world->step(right);  // the pole falls after some ten steps
    EXPECT_FALSE(step.terminated);
    EXPECT_EQ(step.truncated, t == 100);
    EXPECT_EQ(step.reward, 1);
    if (falls > 0 || t == 100) continue;
    const auto same = plain.step(right);
    falls += same.terminated;
    // At the fall a new episode is seen instead, at its start: all within 0.05.
    if (same.terminated)
      for (const float number : std::get<std::vector<float>>(step.observation)) EXPECT_LE(std::abs(number), 0.05F);
    else
      EXPECT_EQ(step.observation, same.observation);
  }
  EXPECT_EQ(falls, 1);
}

TEST(Wrappers, StickyActionsRepeatTheOneBeforeWithTheirChance) {
  const auto always = around(std::make_unique<Grid>(), {"sticky_actions 1"});
  always->reset(0);
  always->step(up);
  EXPECT_EQ(always->step(right).observation, Array(Whole({0, 2})));  // up again
  const auto quarter =
      around(std::make_unique<Grid>(GridConfig{.columns = 20, .rows = 20, .max_steps = 0}), {"sticky_actions 0.25"});
  int stuck = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    quarter->reset(seed);
    EXPECT_EQ(quarter->step(up).observation, Array(Whole({0, 1})));  // the first is never stuck
    stuck += quarter->step(right).observation == Array(Whole({0, 2}));
  }
  EXPECT_NEAR(stuck / 2000.0, 0.25, 0.03);
}

TEST(Wrappers, AHiddenRewardIsInTheInfo) {
  const auto world = around(std::make_unique<Grid>(), {"hide_reward", "time_limit 50"});
  world->reset(0);
  const auto step = world->step(right);
  EXPECT_EQ(step.reward, 0);
  EXPECT_EQ(step.info.at("true_reward"), -1.0);
  const auto many = make_vector(builtin_environments(), "grid", {{"wrappers", {"hide_reward"}}}, {.count = 2});
  many->reset(0);
  const auto& both = many->step(stacked(std::vector<Action>{right, up}));
  EXPECT_EQ(both.rewards.abs().sum().item<double>(), 0);
  EXPECT_EQ(earned(both)[0].item<double>(), -1);
  EXPECT_EQ(earned(both)[1].item<double>(), 0);
}

TEST(Wrappers, AFrameStackHoldsTheNewestLast) {
  const auto world = around(std::make_unique<Grid>(), {"frame_stack 3"});
  EXPECT_EQ(std::get<Box>(world->spec().observation).shape, Whole{6});
  EXPECT_EQ(std::get<Box>(world->spec().observation).high, (std::vector<double>{7, 4, 7, 4, 7, 4}));
  EXPECT_EQ(world->reset(0).observation, Array(Whole({0, 0, 0, 0, 0, 0})));
  world->step(up);
  EXPECT_EQ(world->step(right).observation, Array(Whole({0, 0, 0, 1, 1, 1})));
  const auto pictures =
      around(std::make_unique<KeyTreasure>(KeyTreasureConfig{.view = KeyTreasureView::pixels}), {"frame_stack 4"});
  EXPECT_EQ(std::get<Box>(pictures->spec().observation).shape, (Whole{8, 36, 36}));
}

/// A replay buffer keeps each part of a stack once, which it may where every step moves the stack up by one.
TEST(Wrappers, AFixedHorizonAroundAStackIsNoStack) {
  const auto stack = [](const Names& names) {
    return std::get<Box>(around(std::make_unique<CartPole>(), names)->spec().observation).stack;
  };
  EXPECT_EQ(stack({"frame_stack 4"}), 4);
  EXPECT_EQ(stack({"fixed_horizon 100", "frame_stack 4", "sticky_actions 0.25"}), 4);
  EXPECT_EQ(stack({"frame_stack 4", "fixed_horizon 100"}), 1);
}

TEST(Wrappers, AScoreMaskIsBlackAndNothingElseIs) {
  const auto plain = around(std::make_unique<Pendulum>(), {"picture 12 10"});
  const auto masked = around(std::make_unique<Pendulum>(), {"picture 12 10", "score_mask 2 1 5 3"});
  const auto whole = std::get<std::vector<std::uint8_t>>(plain->reset(1).observation);
  const auto seen = std::get<std::vector<std::uint8_t>>(masked->reset(1).observation);
  ASSERT_EQ(seen.size(), 3u * 10 * 12);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto x = i % 12, y = i / 12 % 10;
    const bool inside = x >= 2 && x < 7 && y >= 1 && y < 4;
    ASSERT_EQ(seen[i], inside ? 0 : whole[i]) << i;
  }
  EXPECT_EQ(masked->render(12, 10), plain->render(12, 10));  // people see it all
}

TEST(Wrappers, SayWhatIsWrong) {
  const auto complaint = [](const char* text) { return error_of([&] { around(std::make_unique<Grid>(), {text}); }); };
  EXPECT_EQ(complaint("frame_stak 4").fix(), "Did you mean 'frame_stack'?");
  EXPECT_NE(complaint("frame_stack").fix().find("frame_stack COUNT"), std::string::npos);
  for (const char* wrong : {"frame_stack 0", "frame_stack 1.5", "frame_stack 2 3", "sticky_actions 1.1",
                            "hide_reward 1", "time_limit x", "score_mask 0 0 1 1", ""})
    EXPECT_EQ(complaint(wrong).category(), Category::usage) << wrong;
  EXPECT_THROW(around(std::make_unique<Pendulum>(), {"picture 8 8", "score_mask 6 0 3 1"}), Error);
  EXPECT_THROW(make_environment(builtin_environments(), "grid", {{"wrappers", 3}}), Error);
}

}  // namespace
}  // namespace rlhf::environments
