// Classic control against Gymnasium: numbers of tests/reference/environments/make_classic.py.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <numbers>

#include "rlhf/environments/acrobot.h"
#include "rlhf/environments/cart_pole_fixed.h"
#include "rlhf/environments/mountain_car.h"
#include "rlhf/environments/pendulum.h"
#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "tests/environments/packed_numbers.h"

namespace rlhf::environments {
namespace {

const nlohmann::json& reference() {
  static const auto all = [] {
    std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/environments/classic.json");
    return nlohmann::json::parse(file);
  }();
  return all.at("worlds");
}

template <class W>
Action action_of(float number) {
  if constexpr (W::discrete)
    return static_cast<std::int64_t>(number);
  else
    return std::vector<float>{number};
}

/// The internal state as Gymnasium keeps it: the first numbers of ours.
template <class W>
std::vector<double> state_of(const Single<W>& environment, std::size_t width) {
  std::vector<double> state(width);
  std::memcpy(state.data(), &environment.now(), width * sizeof(double));
  return state;
}

/// A sum, so that what is no number shows.
double distance(const std::vector<double>& a, const double* b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum;
}

template <class World>
struct Classic : testing::Test {};
using Worlds = testing::Types<CartPoleWorld, MountainCarWorld, MountainCarContinuousWorld, PendulumWorld, AcrobotWorld>;
TYPED_TEST_SUITE(Classic, Worlds);

TYPED_TEST(Classic, OneStepFromEachOfAThousandStatesIsGymnasiums) {
  Single<TypeParam> environment;
  const auto& r = reference().at(environment.spec().name);
  const std::size_t width = r.at("width");
  const auto before = unpacked<double>(r.at("before")), after = unpacked<double>(r.at("after")),
             rewards = unpacked<double>(r.at("rewards"));
  const auto actions = unpacked<float>(r.at("actions")), observations = unpacked<float>(r.at("observations"));
  const std::string terminated = r.at("terminated");
  ASSERT_EQ(actions.size(), 1000);
  const auto seen = observations.size() / actions.size();
  for (std::size_t i = 0; i < actions.size(); ++i) {
    environment.reset(0, {{"state", std::vector<double>(&before[i * width], &before[(i + 1) * width])}});
    const auto step = environment.step(action_of<TypeParam>(actions[i]));
    ASSERT_LE(distance(state_of(environment, width), &after[i * width]), 1e-12) << i;
    ASSERT_NEAR(step.reward, rewards[i], 1e-12 * std::max(1.0, std::abs(rewards[i]))) << i;
    ASSERT_EQ(step.terminated, terminated[i] == '1') << i;
    const auto ours = std::get<std::vector<float>>(step.observation);
    ASSERT_EQ(ours.size(), seen);
    for (std::size_t j = 0; j < seen; ++j) ASSERT_NEAR(ours[j], observations[i * seen + j], 1e-6) << i;
  }
}

TYPED_TEST(Classic, FreeRunsStayWithGymnasium) {
  Single<TypeParam> environment;
  const auto& r = reference().at(environment.spec().name);
  const std::size_t width = r.at("width");
  for (const auto& run : r.at("runs")) {
    const auto states = unpacked<double>(run.at("states"));
    const auto actions = unpacked<float>(run.at("actions"));
    ASSERT_EQ(actions.size(), 50U);
    environment.reset(0, {{"state", unpacked<double>(run.at("start"))}});
    for (std::size_t t = 0; t < actions.size(); ++t) {
      const auto step = environment.step(action_of<TypeParam>(actions[t]));
      ASSERT_LE(distance(state_of(environment, width), &states[t * width]), 1e-9) << t;
      ASSERT_FALSE(step.terminated) << t;
    }
  }
}

double mean_return(Environment& environment, const Policy& policy, int episodes) {
  double sum = 0;
  for (int seed = 0; seed < episodes; ++seed)
    for (const double reward :
         roll_out(environment, policy, static_cast<std::uint64_t>(seed), {.keep_states = false}).rewards)
      sum += reward;
  return sum / episodes;
}

Policy scripted(Action (*act)(const Array&)) {
  return [act](const Array& observation, Random&) { return act(observation); };
}

TEST(Controllers, ReachTheReturnsThatTheyShould) {
  CartPole pole;
  EXPECT_EQ(mean_return(pole, scripted(balance_cart_pole), 50), 500);
  Pendulum pendulum;
  EXPECT_GT(mean_return(pendulum, scripted(swing_up_pendulum), 100), -250);
  MountainCar car;
  const double rocked = mean_return(car, scripted(rock_mountain_car), 100);
  EXPECT_GT(rocked, -130);
  EXPECT_LT(rocked, -110);
  MountainCarContinuous continuous;
  EXPECT_GT(mean_return(continuous, scripted(rock_mountain_car_continuous), 50), 85);
  Acrobot acrobot;
  EXPECT_GT(mean_return(acrobot, scripted(pump_acrobot), 100), -120);
}

TEST(Controllers, ChanceAloneEarnsWhatItDoesElsewhere) {
  CartPole pole;
  EXPECT_NEAR(mean_return(pole, random_choice(pole.spec()), 1000), 22.3, 2);
  Pendulum pendulum;
  EXPECT_NEAR(mean_return(pendulum, random_choice(pendulum.spec()), 300), -1220, 60);
  Acrobot acrobot;
  EXPECT_LT(mean_return(acrobot, random_choice(acrobot.spec()), 50), -480);
  MountainCar car;
  EXPECT_EQ(mean_return(car, random_choice(car.spec()), 50), -200);
}

TEST(Pendulum, CostsNothingUprightAndAtMostWhatTheSettingsAllow) {
  Pendulum pendulum;
  const auto cost = [&](std::vector<double> state, float torque) {
    pendulum.reset(0, {{"state", std::move(state)}});
    return -pendulum.step(std::vector<float>{torque}).reward;
  };
  constexpr double pi = std::numbers::pi, most = pi * pi + 0.1 * 8 * 8 + 0.001 * 2 * 2;
  EXPECT_EQ(cost({0, 0}, 0), 0);
  EXPECT_NEAR(cost({pi, 8}, 2), most, 1e-12);
  EXPECT_NEAR(cost({-pi, -8}, -5), most, 1e-12);
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    const auto paid =
        cost({40 * random.uniform() - 20, 16 * random.uniform() - 8}, static_cast<float>(8 * random.uniform() - 4));
    ASSERT_GE(paid, 0);
    ASSERT_LE(paid, most + 1e-12);
  }
}

TEST(CartPoleFixed, IsCartPoleWithoutAnEnd) {
  Single<CartPoleFixedWorld> fixed;
  CartPole ends;
  fixed.reset(3, {{"state", {0.0, 0.0, 0.2, 1.0}}});
  ends.reset(3, {{"state", {0.0, 0.0, 0.2, 1.0}}});
  const auto step = fixed.step(std::int64_t{1});
  EXPECT_TRUE(ends.step(std::int64_t{1}).terminated);
  EXPECT_FALSE(step.terminated);
  EXPECT_EQ(step.reward, 0);
  EXPECT_EQ(fixed.now(), ends.now());
  int steps = 1;
  while (!fixed.step(std::int64_t{0}).truncated) ++steps;
  EXPECT_EQ(steps, 199);
}

}  // namespace
}  // namespace rlhf::environments
