#include "rlhf/environments/point_chase.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "rlhf/environments/scripted_agent.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

TEST(PointChase, StepsAreWhatTheSpeedsSay) {
  PointChase world({.wander = 0});
  world.reset(0, {{"state", {0.0, 0.0, 0.5, 0.0, std::numbers::pi / 2}}});
  const auto step = world.step(std::int64_t{2});
  EXPECT_NEAR(world.now().x, 0.04, 1e-15);
  EXPECT_NEAR(world.now().ball_y, 0.5 / 30, 1e-15);
  EXPECT_NEAR(step.reward, 1 - std::hypot(0.46, 0.5 / 30), 1e-12);
  const auto& seen = std::get<std::vector<float>>(step.observation);
  EXPECT_NEAR(seen[2], 0.46, 1e-6);
  EXPECT_NEAR(seen[5], 0.5, 1e-6);
}

TEST(PointChase, TheBallBouncesAndTheRobotStopsAtTheSides) {
  PointChase world({.ball_speed = 0.6, .wander = 0});
  world.reset(0, {{"state", {0.99, 0.0, 0.99, 0.2, 0.0}}});
  world.step(std::int64_t{2});
  EXPECT_EQ(world.now().x, 1.0);
  EXPECT_NEAR(world.now().ball_x, 0.99, 1e-12);  // 0.01 to the side, 0.01 back
  EXPECT_NEAR(std::cos(world.now().heading), -1, 1e-12);
  world.step(std::int64_t{0});
  EXPECT_NEAR(world.now().ball_x, 0.97, 1e-12);
  EXPECT_THROW(world.reset(0, {{"state", {2.0, 0.0, 0.0, 0.0, 0.0}}}), Error);
}

TEST(PointChase, WhoFollowsTheBallEarnsFarMoreThanChance) {
  PointChase world;
  const auto mean = [&](const Policy& policy) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto rewards = roll_out(world, policy, seed).rewards;
      EXPECT_EQ(rewards.size(), 900u);
      sum += std::accumulate(rewards.begin(), rewards.end(), 0.0) / 900;
    }
    return sum / 10;
  };
  EXPECT_GT(mean([](const Array& seen, Random&) { return chase_ball(seen); }), 0.92);
  EXPECT_LT(mean(random_choice(world.spec())), 0.45);
}

}  // namespace
}  // namespace rlhf::environments
