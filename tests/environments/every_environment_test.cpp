// What every environment of the table promises, wrapped or not: a new one is covered by being in it.
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/table.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

struct Case {
  std::string name;
  nlohmann::json settings = nlohmann::json::object();
};

/// Short episodes, so that many of them end.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& [name, make] : builtin_environments()) {
    if (!make()->needs().empty()) continue;  // played by another program, or not installed: tested elsewhere
    const auto settings = make()->make()->spec().settings;
    if (settings.contains("max_steps"))
      all.push_back({name, {{"max_steps", 17}}});
    else if (settings.contains("steps"))
      all.push_back({name, {{"steps", 17}}});
    else
      all.push_back({name, {{"wrappers", {"time_limit 17"}}}});
    all.push_back(
        {name, {{"wrappers", {"sticky_actions 0.25", "fixed_horizon 23", "frame_stack 3", "time_limit 19"}}}});
  }
  all.push_back(
      {"cliff_walking", {{"wrappers", {"grey_picture 24 16", "score_mask 0 0 24 3", "hide_reward", "time_limit 9"}}}});
  all.push_back({"pendulum", {{"wrappers", {"picture 20 20", "frame_stack 2", "hide_reward", "time_limit 9"}}}});
  return all;
}

constexpr std::int64_t envs = 3;

std::vector<Action> drawn(const Spec& spec, Random& random) {
  const auto draw = random_choice(spec);
  std::vector<Action> actions;
  for (std::int64_t i = 0; i < envs; ++i) actions.push_back(draw({}, random));
  return actions;
}

Tensor one_row(const Spec& spec, const Array& observation) {
  return stacked(spec, std::vector{observation}).select(0, 0);
}

/// One environment alone, by the rules of the mode.
struct Alone {
  std::unique_ptr<Environment> environment;
  Array seen;
  bool over = false;
};

class EveryEnvironment : public testing::TestWithParam<AutoReset> {};

TEST_P(EveryEnvironment, OfManyIsToTheBitWhatItIsAlone) {
  const auto mode = GetParam();
  for (const auto& [name, settings] : cases()) {
    const auto table = builtin_environments();
    const auto many = make_vector(table, name, settings, {.count = envs, .auto_reset = mode});
    const auto& spec = many->spec();
    std::vector<Alone> alone(envs);
    many->reset(11);
    for (std::int64_t i = 0; i < envs; ++i) {
      auto& one = alone[static_cast<std::size_t>(i)];
      one.environment = make_environment(table, name, settings);
      ASSERT_EQ(hash_of(one.environment->spec()), hash_of(spec)) << name;
      one.seen = one.environment->reset(many->place(i).seed).observation;
      ASSERT_TRUE(many->observations().select(0, i).equal(one_row(spec, one.seen))) << name;
    }
    Random random(5);
    std::int64_t ended = 0;
    for (std::int64_t t = 0; t < 60; ++t) {
      const auto actions = drawn(spec, random);
      const auto& step = many->step(stacked(actions));
      std::int64_t ended_now = 0;
      for (std::int64_t i = 0; i < envs; ++i) {
        auto& one = alone[static_cast<std::size_t>(i)];
        const double reward = step.rewards[i].item<double>();
        const bool terminated = step.terminated[i].item<bool>(), truncated = step.truncated[i].item<bool>();
        if (one.over) {
          ASSERT_EQ(reward, 0) << name;
          if (mode == AutoReset::disabled) {
            ASSERT_TRUE(terminated || truncated) << name;
          } else {
            ASSERT_FALSE(terminated || truncated) << name;
            one.seen = one.environment->reset(many->place(i).seed).observation;
            one.over = false;
          }
          ASSERT_TRUE(step.observations.select(0, i).equal(one_row(spec, one.seen))) << name;
          continue;
        }
        const auto single = one.environment->step(actions[static_cast<std::size_t>(i)]);
        one.seen = single.observation;
        ASSERT_EQ(reward, single.reward) << name;
        ASSERT_EQ(terminated, single.terminated) << name;
        ASSERT_EQ(truncated, single.truncated) << name;
        const double truth = single.info.is_object() ? single.info.value("true_reward", single.reward) : single.reward;
        ASSERT_EQ(earned(step)[i].item<double>(), truth) << name;
        one.over = terminated || truncated;
        ended_now += one.over;
        if (one.over && mode == AutoReset::same_step) {
          ASSERT_TRUE(step.final_observations.select(0, i).equal(one_row(spec, one.seen))) << name;
          one.seen = one.environment->reset(many->place(i).seed).observation;
          one.over = false;
        }
        ASSERT_TRUE(step.observations.select(0, i).equal(one_row(spec, one.seen))) << name << " " << t;
        if (!one.over) ASSERT_EQ(many->state_of(i), one.environment->state()) << name << " " << t;
      }
      ASSERT_EQ(step.ended, ended_now) << name;
      ended += ended_now;
    }
    EXPECT_GE(ended, envs) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, EveryEnvironment,
                         testing::Values(AutoReset::same_step, AutoReset::next_step, AutoReset::disabled));

TEST(EveryEnvironment, GoesOnFromASavedStateToTheSameBits) {
  for (const auto& [name, settings] : cases()) {
    const auto table = builtin_environments();
    const auto one = make_vector(table, name, settings, {.count = envs}),
               other = make_vector(table, name, settings, {.count = envs});
    one->reset(4);
    Random random(6);
    for (int t = 0; t < 13; ++t) one->step(stacked(drawn(one->spec(), random)));
    other->set_state(one->state());
    EXPECT_TRUE(other->observations().equal(one->observations())) << name;
    for (int t = 13; t < 50; ++t) {
      const auto actions = stacked(drawn(one->spec(), random));
      const auto& a = one->step(actions);
      const auto& b = other->step(actions);
      ASSERT_TRUE(a.observations.equal(b.observations) && a.rewards.equal(b.rewards)) << name << " " << t;
      ASSERT_TRUE(a.terminated.equal(b.terminated) && a.truncated.equal(b.truncated)) << name << " " << t;
      ASSERT_TRUE(earned(a).equal(earned(b))) << name;
    }
    EXPECT_EQ(one->state(), other->state()) << name;
    EXPECT_THROW(other->set_state("no"), Error) << name;
  }
}

TEST(EveryEnvironment, RefusesAStateThatCannotBe) {
  for (const auto* name : {"taxi", "frozen_lake", "cart_pole"}) {
    const auto many = make_vector(builtin_environments(), name, nullptr, {.count = 2});
    many->reset(1);
    const auto state = many->state();
    auto broken = state;
    std::memset(broken.data() + 8 + 2 * 8, 0x7f, 8);  // behind the seed and two numbers of episodes, the first world
    if (std::string_view(name) == "cart_pole") std::memset(broken.data() + 8 + 2 * 8, 0xff, 8);  // not a number
    EXPECT_EQ(error_of([&] { many->set_state(broken); }).category(), Category::bad_data) << name;
    EXPECT_EQ(many->state(), state) << name;
  }
}

TEST(EveryEnvironment, RefusesActionsThatAreNoNumbers) {
  const auto many = make_vector(builtin_environments(), "pendulum", nullptr, {.count = 2});
  many->reset(1);
  const auto actions = at::full({2, 1}, std::nan(""), at::kFloat);
  EXPECT_EQ(error_of([&] { many->step(actions); }).category(), Category::usage);
}

TEST(EveryEnvironment, OneAloneGoesOnFromEveryStateOfAnEpisode) {
  for (const auto& [name, settings] : cases()) {
    const auto table = builtin_environments();
    const auto one = make_environment(table, name, settings), other = make_environment(table, name, settings);
    const auto played = roll_out(*one, random_choice(one->spec()), 5);
    for (std::size_t t = 0; t < played.actions.size(); ++t) {
      other->set_state(played.states[t]);
      ASSERT_EQ(other->state(), played.states[t]) << name;
      ASSERT_EQ(other->step(played.actions[t]).observation, played.observations[t + 1]) << name << " " << t;
      ASSERT_EQ(other->state(), played.states[t + 1]) << name << " " << t;
    }
    EXPECT_THROW(other->step(played.actions[0]), Error) << name << ": a step after the end";
    EXPECT_THROW(other->set_state(played.states[0].substr(1)), Error) << name;
    if (!one->spec().can.render) continue;
    one->set_state(played.states[0]);
    other->set_state(played.states[0]);
    EXPECT_EQ(one->render(90, 60), other->render(90, 60)) << name;
  }
}

/// What replay buffers rely on: a step moves a stack up by one part.
TEST(EveryEnvironment, MovesItsStackUpByOne) {
  int stacked_ones = 0;
  for (const auto& [name, settings] : cases()) {
    const auto one = make_environment(builtin_environments(), name, settings);
    const auto stack = std::get<Box>(one->spec().observation).stack;
    if (stack == 1) continue;
    ++stacked_ones;
    const auto played = roll_out(*one, random_choice(one->spec()), 5);
    for (std::size_t t = 0; t + 1 < played.observations.size(); ++t) {
      const auto before = one_row(one->spec(), played.observations[t]),
                 after = one_row(one->spec(), played.observations[t + 1]);
      const auto part = before.size(0) / stack;
      ASSERT_TRUE(before.narrow(0, part, part * (stack - 1)).equal(after.narrow(0, 0, part * (stack - 1))))
          << name << t;
    }
  }
  EXPECT_GE(stacked_ones, 20);
}

TEST(EveryEnvironment, SettingsOfItsSpecMakeItAgain) {
  for (const auto& [name, settings] : cases()) {
    const auto table = builtin_environments();
    const auto one = make_environment(table, name, settings);
    EXPECT_EQ(hash_of(make_environment(table, name, one->spec().settings)->spec()), hash_of(one->spec())) << name;
  }
}

}  // namespace
}  // namespace rlhf::environments
