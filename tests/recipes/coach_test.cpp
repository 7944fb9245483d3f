#include <gtest/gtest.h>

#include <fstream>

#include "recipes/coach/dependence.h"
#include "recipes/coach/pursuit.h"
#include "recipes/coach/trainers.h"
#include "rlhf/environments/point_chase.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::recipes {
namespace {

constexpr std::int64_t stay = 0, up = 1, right = 2, left = 4;

double nearness(const environments::Environment& world) {
  const auto& now = dynamic_cast<const environments::PointChase&>(world).now();
  return -std::hypot(now.ball_x - now.x, now.ball_y - now.y);
}

/// The ball lies to the right, far enough that a step towards it gains all its length, 0.04.
environments::PointChase beside_the_ball() {
  environments::PointChase world({.ball_speed = 0, .wander = 0});
  world.reset(1, {{"state", {-0.5, 0, 0.5, 0, 0}}});
  return world;
}

TEST(CoachTrainers, AnAdvantageIsOverWhatTheLearnerDoes) {
  auto world = beside_the_ball();
  const auto before = world.state();
  const auto advantage = [&](std::vector<double> chances, std::int64_t action) {
    world.set_state(before);
    return advantage_verdict(nearness, [&](const data::Array&) { return chances; })(world, action);
  };
  EXPECT_NEAR(advantage({0.5, 0, 0.5, 0, 0}, right), 0.02, 1e-12);
  EXPECT_NEAR(advantage({0.5, 0, 0.5, 0, 0}, stay), -0.02, 1e-12);
  EXPECT_NEAR(advantage({0, 0, 0, 0, 1}, stay), 0.04, 1e-12) << "staying is good for one who walks away";
  EXPECT_NEAR(advantage({0, 0, 1, 0, 0}, right), 0, 1e-12) << "as expected";
}

TEST(CoachTrainers, ALabelIsAboutTheActionAlone) {
  auto world = beside_the_ball();
  const auto before = world.state();
  const auto verdict = action_verdict(nearness, 5);
  for (const auto& [action, value] : {std::pair{right, 1.0}, {stay, -1.0}, {up, -1.0}, {left, -1.0}}) {
    world.set_state(before);
    EXPECT_EQ(verdict(world, action), value) << action;
  }
}

/// Shows a trainer so many steps of one action, and returns the presses with their times.
std::vector<feedback::Signal> presses(const ReactionConfig& config, const std::vector<std::int64_t>& actions) {
  algorithms::VirtualClock clock;
  auto world = beside_the_ball();
  Trainer trainer(
      clock, std::make_unique<environments::PointChase>(environments::PointChaseConfig{.ball_speed = 0, .wander = 0}),
      action_verdict(nearness, 5), config, 10, 1);
  std::vector<feedback::Signal> all;
  trainer.show({}, world);
  for (std::size_t i = 0; i < actions.size() + 20; ++i) {
    for (const auto& request : trainer.requests())
      if (const auto* signal = std::get_if<feedback::Signal>(&request)) all.push_back(*signal);
    if (i < actions.size()) {
      const data::Action action = actions[i];
      world.step(action);
      trainer.show({.step = static_cast<std::int64_t>(i) + 1, .action = &action}, world);
    }
    clock.sleep_until(clock.now() + 0.1);
  }
  return all;
}

TEST(CoachTrainers, ReactWithinTheirDelayAndToTheStretchTheyJudge) {
  // The first step is not followed: nobody saw what it began from.
  const auto single = presses({.comments = 1, .delay = 0.3, .spread = 0.05}, {right, right, left, right});
  ASSERT_EQ(single.size(), 3U);
  EXPECT_EQ(single[0].value, 1);
  EXPECT_EQ(single[1].value, -1);
  EXPECT_EQ(single[2].value, 1);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(single[i].pressed, 0.1 * (double(i) + 1) + 0.3, 0.05 + 1e-9);
  const auto stretch =
      presses({.comments = 1, .delay = 0.3, .spread = 0, .judged = 0.3}, {right, right, right, left, right, left});
  ASSERT_EQ(stretch.size(), 5U);
  EXPECT_EQ(stretch[2].value, 1) << "two of the last three were right";
  EXPECT_EQ(stretch[3].value, 1);
  EXPECT_EQ(stretch[4].value, -1);
}

TEST(PursuitArms, ChangeOneThingEach) {
  const PursuitConfig config;
  EXPECT_EQ(coach_of(config, "coach", 3).delay, 0.2);
  EXPECT_EQ(coach_of(config, "no_delay", 3).delay, 0);
  EXPECT_EQ(coach_of(config, "no_delay", 3).learning_rate, config.coach.learning_rate);
  EXPECT_EQ(coach_of(config, "no_trace_tuned", 3).learning_rate, config.no_trace_rate);
  EXPECT_EQ(coach_of(config, "single_no_trace", 3).trace, 0);
  EXPECT_EQ(coach_of(config, "short_trace_no_delay", 3).trace, 0.8);
  EXPECT_EQ(coach_of(config, "short_trace_no_delay", 3).delay, 0);
  EXPECT_EQ(trainer_of(config, "single").judged, 0);
  auto wrong = config;
  wrong.arms = {"coach", "no_such"};
  EXPECT_EQ(error_of([&] { wrong.validate(); }).where(), "arms");
}

class Dependence : public ::testing::Test {
 protected:
  static std::vector<TrainerFeedback> groups(double improving, double steady, double degrading) {
    std::vector<TrainerFeedback> all;
    for (const auto& [condition, mean] :
         {std::pair{"improving", improving}, {"steady", steady}, {"degrading", degrading}})
      for (int i = 0; i < 12; ++i) all.push_back({.condition = condition, .presses = 5, .mean = mean + 0.01 * i});
    return all;
  }
  ScratchFolder folder_;
};

TEST_F(Dependence, TheComparisonFindsAnEffectAndNoneWhereThereIsNone) {
  rlhf::Run run({.folder = folder_ / "run", .quiet = true}, "", {{"algorithm", "study"}});
  nlohmann::json results;
  compare_conditions(groups(0.5, 0.2, -0.1), "a_", results, run);
  EXPECT_LT(results["a_p"], 1e-6);
  EXPECT_LT(results["a_steady_degrading_p"], 1e-3);
  EXPECT_EQ(results["a_ordered"], 1);
  compare_conditions(groups(0.2, 0.2, 0.2), "b_", results, run);
  EXPECT_GT(results["b_p"], 0.9);
  EXPECT_EQ(results["b_ordered"], 0);
  EXPECT_EQ(error_of([&] { compare_conditions({}, "c_", results, run); }).where(), "dependence.logs");
}

TEST_F(Dependence, PeoplesLogsAreReadLikeSimulatedOnes) {
  DependenceConfig config{.trainers = 4, .judged = 2};
  rlhf::Run run({.folder = folder_ / "run", .quiet = true}, "", {{"algorithm", "study"}});
  nlohmann::json simulated, read;
  ASSERT_TRUE(run_dependence(config, 1, run, simulated));
  config.logs = (folder_ / "run/dependence/advantage").string();
  std::ofstream(config.logs + "/session-1.jsonl") << "another session, not one of the study\n";
  ASSERT_TRUE(run_dependence(config, 1, run, read));
  for (const char* number : {"improving", "steady", "degrading", "h", "p"})
    EXPECT_EQ(read[std::string("dependence_people_") + number],
              simulated[std::string("dependence_advantage_") + number]);
  const auto one = judged_feedback(folder_ / "run/dependence/advantage/steady-0.jsonl", config);
  EXPECT_EQ(one.condition, "steady");
  EXPECT_GT(one.presses, 3);
}

}  // namespace
}  // namespace rlhf::recipes
