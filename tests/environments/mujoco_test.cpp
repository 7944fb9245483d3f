// Gymnasium's robots: numbers of tests/reference/environments/make_mujoco.py. Skipped where MuJoCo is not installed.
#include "rlhf/environments/mujoco.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/table.h"
#include "tests/core/scratch_folder.h"
#include "tests/environments/packed_numbers.h"

namespace rlhf::environments {
namespace {

struct Robot : testing::TestWithParam<std::string> {
  void SetUp() override {
    if (const auto missing = mujoco_missing(); !missing.empty()) GTEST_SKIP() << missing;
  }
  std::unique_ptr<Environment> make(const nlohmann::json& settings = nullptr) const {
    return make_environment(builtin_environments(), GetParam(), settings);
  }
};
INSTANTIATE_TEST_SUITE_P(All, Robot, testing::ValuesIn(mujoco_robot_names()),
                         [](const auto& one) { return one.param; });

const nlohmann::json& reference() {
  static const auto all = [] {
    std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/environments/mujoco.json");
    return nlohmann::json::parse(file);
  }();
  return all;
}

const std::vector<double>& numbers_of(const Array& observation) { return std::get<std::vector<double>>(observation); }

std::vector<Action> actions_of(const nlohmann::json& run) {
  const auto numbers = unpacked<float>(run.at("actions"));
  const auto steps = run.at("terminated").get_ref<const std::string&>().size(), motors = numbers.size() / steps;
  std::vector<Action> actions;
  for (std::size_t t = 0; t < steps; ++t)
    actions.push_back(std::vector<float>(&numbers[t * motors], &numbers[(t + 1) * motors]));
  return actions;
}

/// Beside their size where the numbers are large: contact forces reach thousands.
void expect_near(const std::vector<double>& ours, const double* theirs, const std::string& where) {
  for (std::size_t i = 0; i < ours.size(); ++i)
    ASSERT_NEAR(ours[i], theirs[i], 1e-6 * std::max(1.0, std::abs(theirs[i]))) << where << ", number " << i;
}

/// Motions are compared in an environment whose episodes go on where Gymnasium's task has ended, as its classes do.
TEST_P(Robot, MovesAndSeesWhatGymnasiumsDoesForAHundredSteps) {
  const auto& robot = reference().at("robots").at(GetParam());
  const std::size_t every = reference().at("every"), observed = robot.at("observed");
  for (const auto& run : robot.at("runs")) {
    const auto environment = make({{"max_steps", 0}, {"task", "preferences"}});
    EXPECT_DOUBLE_EQ(environment->spec().step_seconds, robot.at("dt"));
    const auto start = environment->reset(0, {{"state", unpacked<double>(run.at("state"))}});
    expect_near(numbers_of(start.observation), unpacked<double>(run.at("begin")).data(), "start");
    const auto sums = unpacked<double>(run.at("sums")), observations = unpacked<double>(run.at("observations"));
    const auto actions = actions_of(run);
    ASSERT_EQ(actions.size(), 100U);
    for (std::size_t t = 0; t < actions.size(); ++t) {
      const auto step = environment->step(actions[t]);
      const auto& seen = numbers_of(step.observation);
      ASSERT_EQ(seen.size(), observed);
      std::vector<double> now = {0, 0};
      for (std::size_t i = 0; i < observed; ++i) {
        now[0] += seen[i];
        now[1] += seen[i] * std::cos(static_cast<double>(i));
      }
      const auto where = "step " + std::to_string(t);
      expect_near(now, &sums[2 * t], where);
      if ((t + 1) % every == 0) expect_near(seen, &observations[((t + 1) / every - 1) * observed], where);
    }
  }
}

TEST_P(Robot, EarnsWhatGymnasiumsDoesUntilItEnds) {
  const auto& robot = reference().at("robots").at(GetParam());
  const auto bounds = std::get<Box>(make()->spec().action).high;
  for (std::size_t i = 0; i < bounds.size(); ++i) EXPECT_FLOAT_EQ(bounds[i], robot.at("high")[i].get<float>());
  for (const auto& run : robot.at("runs")) {
    const auto environment = make({{"max_steps", 0}});
    environment->reset(0, {{"state", unpacked<double>(run.at("state"))}});
    const auto rewards = unpacked<double>(run.at("rewards"));
    const auto& terminated = run.at("terminated").get_ref<const std::string&>();
    const auto actions = actions_of(run);
    for (std::size_t t = 0; t < actions.size(); ++t) {
      const auto step = environment->step(actions[t]);
      ASSERT_EQ(step.terminated, terminated[t] == '1') << t;
      expect_near({step.reward}, &rewards[t], "step " + std::to_string(t));
      if (step.terminated) break;
    }
  }
}

TEST_P(Robot, GoesOnFromASavedStateToTheSameBits) {
  const auto one = make(), other = make();
  const auto policy = random_choice(one->spec());
  one->reset(3);
  other->reset(4);
  Random random(5);
  const auto first = policy({}, random);
  for (int i = 0; i < 3; ++i) other->step(first);  // forces of another episode must not stay behind
  one->step(first);
  other->set_state(one->state());
  EXPECT_EQ(other->observation(), one->observation());
  EXPECT_EQ(other->render(96, 64), one->render(96, 64));
  for (int t = 0; t < 40; ++t) {
    const auto action = policy({}, random);
    const auto a = one->step(action), b = other->step(action);
    ASSERT_EQ(a.observation, b.observation) << t;
    ASSERT_EQ(a.reward, b.reward) << t;
    ASSERT_EQ(one->state(), other->state()) << t;
    if (a.terminated || a.truncated) break;
  }
  EXPECT_THROW(other->set_state("short"), Error);
}

TEST_P(Robot, DrawsWhatItDoes) {
  const auto environment = make();
  environment->reset(1);
  const auto before = environment->state();
  const auto start = environment->render(240, 160);
  EXPECT_EQ(environment->render(240, 160), start);
  EXPECT_EQ(environment->state(), before);
  Random random(2);
  const auto policy = random_choice(environment->spec());
  for (int t = 0; t < 4; ++t) environment->step(policy({}, random));
  EXPECT_NE(environment->render(240, 160), start);
}

TEST_P(Robot, TaskOfPreferencesNeverEndsAndIgnoresEffort) {
  const auto environment = make({{"task", "preferences"}, {"max_steps", 200}});
  const auto policy = random_choice(environment->spec());
  const auto episode = roll_out(*environment, policy, 7);
  EXPECT_FALSE(episode.terminated);
  EXPECT_TRUE(episode.truncated);
  EXPECT_EQ(episode.rewards.size(), 200U);
}

TEST_P(Robot, ManyOnThreadsAreEachWhatOneAloneIs) {
  const auto table = builtin_environments();
  const auto many =
      make_vector(table, GetParam(), nullptr, {.count = 3, .auto_reset = AutoReset::disabled, .threads = 2});
  many->reset(9);
  std::vector<std::unique_ptr<Environment>> alone;
  for (int i = 0; i < 3; ++i) {
    alone.push_back(make());
    alone.back()->reset(many->place(i).seed);
  }
  Random random(1);
  const auto policy = random_choice(many->spec());
  for (int t = 0; t < 5; ++t) {
    std::vector<Action> actions;
    for (int i = 0; i < 3; ++i) actions.push_back(policy({}, random));
    const auto& step = many->step(stacked(actions));
    for (int i = 0; i < 3; ++i) {
      const auto own = alone[i]->step(actions[i]);
      ASSERT_EQ(step.rewards.const_data_ptr<double>()[i], own.reward);
      ASSERT_EQ(many->state_of(i), alone[i]->state());
      if (own.terminated) return;
    }
  }
}

struct Chance : testing::Test {
  void SetUp() override {
    if (const auto missing = mujoco_missing(); !missing.empty()) GTEST_SKIP() << missing;
  }
};

double mean_return(const std::string& name, int episodes, const nlohmann::json& settings = nullptr) {
  const auto environment = make_environment(builtin_environments(), name, settings);
  double sum = 0;
  for (int seed = 0; seed < episodes; ++seed)
    for (const double reward : roll_out(*environment, random_choice(environment->spec()),
                                        static_cast<std::uint64_t>(seed), {.keep_states = false})
                                   .rewards)
      sum += reward;
  return sum / episodes;
}

TEST_F(Chance, EarnsWhatItDoesElsewhere) {
  EXPECT_NEAR(mean_return("hopper", 200), 18, 4);
  EXPECT_NEAR(mean_return("half_cheetah", 20), -280, 40);
}

TEST_F(Chance, PreferencesPayForSpeedAndHeightAlone) {
  const auto plain = make_environment(builtin_environments(), "half_cheetah");
  const auto judged = make_environment(builtin_environments(), "half_cheetah", {{"task", "preferences"}});
  plain->reset(1);
  judged->reset(1);
  const std::vector<float> action = {1, -1, 0.5F, 0, 0, 0};  // effort 2.25, of which Gymnasium's costs a tenth
  EXPECT_NEAR(judged->step(action).reward - plain->step(action).reward, 0.225, 1e-12);
}

TEST(MujocoTable, SaysWhatToDoWhereItIsNotInstalled) {
  if (mujoco_missing().empty()) GTEST_SKIP() << "MuJoCo is installed";
  const auto error = error_of([] { make_environment(builtin_environments(), "hopper"); });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_NE(error.fix().find("make mujoco"), std::string::npos);
}

}  // namespace
}  // namespace rlhf::environments
