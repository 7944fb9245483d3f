#include "rlhf/environments/cart_pole.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "rlhf/environments/scripted_agent.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

/// Episodes of tests/reference/environments/make_cart_pole.py.
nlohmann::json episodes() {
  std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/environments/cart_pole.json");
  return nlohmann::json::parse(file).at("episodes");
}

CartPoleState state_of(const nlohmann::json& v) { return {v[0], v[1], v[2], v[3]}; }

double distance(const CartPoleState& a, const CartPoleState& b) {
  return std::abs(a.position - b.position) + std::abs(a.velocity - b.velocity) + std::abs(a.angle - b.angle) +
         std::abs(a.angular_velocity - b.angular_velocity);
}

TEST(CartPole, EachStepIsGymnasiums) {
  for (const auto& episode : episodes()) {
    auto before = state_of(episode["start"]);
    for (std::size_t t = 0; t < episode["actions"].size(); ++t) {
      const auto expected = state_of(episode["states"][t]);
      ASSERT_LE(distance(advance(before, episode["actions"][t] == 1), expected), 1e-12) << "step " << t;
      before = expected;
    }
  }
}

TEST(CartPole, WholeEpisodesAreGymnasiums) {
  for (const auto& episode : episodes()) {
    CartPole environment({.sutton_barto_reward = episode["sutton_barto"]});
    environment.reset(0, {{"state", episode["start"]}});
    const auto steps = episode["actions"].size();
    for (std::size_t t = 0; t < steps; ++t) {
      const auto step = environment.step(episode["actions"][t].get<std::int64_t>());
      // A difference in the last bit of a sine grows e-fold five times a second in a falling pole.
      if (t < 100) ASSERT_LE(distance(environment.now(), state_of(episode["states"][t])), 1e-12) << "step " << t;
      EXPECT_EQ(step.reward, episode["rewards"][t].get<double>());
      EXPECT_EQ(step.terminated, t + 1 == steps && episode["ended"]["terminated"].get<bool>()) << t;
      EXPECT_EQ(step.truncated, t + 1 == steps && episode["ended"]["truncated"].get<bool>()) << t;
      const auto seen = std::get<std::vector<float>>(step.observation);
      for (int i = 0; i < 4; ++i) EXPECT_NEAR(seen[i], episode["observations"][t][i].get<float>(), 1e-6);
    }
  }
}

/// Work is all that changes the energy: dE/dt = force * velocity, with the accelerations that a step reveals.
TEST(CartPole, GainsTheEnergyThatThePushPutsIn) {
  constexpr double masses = 1.1, moment = 0.1 * 0.5, inertia = 4.0 / 3 * moment * 0.5, gravity = 9.8, tau = 0.02;
  Random random(11);
  const auto within = [&](double most) { return most * (2 * random.uniform() - 1); };
  for (int i = 0; i < 1000; ++i) {
    const CartPoleState s{within(2), within(3), within(0.2), within(3)};
    const bool right = i % 2 == 0;
    const auto after = advance(s, right);
    const double pushed = (after.velocity - s.velocity) / tau;
    const double turned = (after.angular_velocity - s.angular_velocity) / tau;
    const double cosine = std::cos(s.angle), sine = std::sin(s.angle), w = s.angular_velocity;
    const double power = masses * s.velocity * pushed + moment * cosine * (pushed * w + s.velocity * turned) -
                         moment * s.velocity * w * w * sine + inertia * w * turned - moment * gravity * sine * w;
    ASSERT_NEAR(power, (right ? 10 : -10) * s.velocity, 1e-10) << i;
  }
}

TEST(CartPole, StartsAreAFunctionOfTheSeedWithinTheirBounds) {
  CartPole one, other;
  EXPECT_EQ(one.reset(5).observation, other.reset(5).observation);
  EXPECT_NE(one.reset(6).observation, other.reset(5).observation);
  double low = 1, high = -1;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto start = one.reset(seed);
    for (const float x : std::get<std::vector<float>>(start.observation)) {
      low = std::min<double>(low, x), high = std::max<double>(high, x);
    }
  }
  EXPECT_GE(low, -0.0500001);  // as floats
  EXPECT_LE(high, 0.0500001);
  EXPECT_LT(low, -0.045);
  EXPECT_GT(high, 0.045);
}

TEST(CartPole, GoesOnFromASavedState) {
  CartPole one, other;
  one.reset(1);
  for (int t = 0; t < 5; ++t) one.step(std::int64_t{t % 2});
  other.set_state(one.state());
  EXPECT_EQ(one.render(120, 80), other.render(120, 80));
  for (int t = 0; t < 20; ++t) {
    const auto a = one.step(std::int64_t{1});
    EXPECT_EQ(a.observation, other.step(std::int64_t{1}).observation);
    EXPECT_EQ(one.state(), other.state());
    if (a.terminated) return;
  }
  FAIL() << "pushing right for ever should have ended the episode";
}

TEST(CartPole, RefusesWhatMakesNoSense) {
  CartPole environment;
  EXPECT_EQ(error_of([&] { environment.step(std::int64_t{0}); }).problem(), "no episode is running");
  environment.reset(0);
  EXPECT_EQ(error_of([&] { environment.step(std::int64_t{2}); }).problem(), "there is no action 2");
  EXPECT_EQ(error_of([&] { environment.step(std::vector<float>{1}); }).problem(), "the action is a list of numbers");
  EXPECT_EQ(error_of([&] { environment.reset(0, {{"low", 1}}); }).problem(), "reset has no option 'low'");
  EXPECT_EQ(error_of([&] { environment.reset(0, {{"state", {1, 2}}}); }).category(), Category::usage);
  EXPECT_EQ(error_of([&] { environment.set_state("nonsense"); }).category(), Category::bad_data);
  EXPECT_EQ(error_of([&] { environment.render(0, 10); }).category(), Category::usage);
}

double mean_length(const Policy& policy) {
  CartPole environment;
  double total = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) total += roll_out(environment, policy, seed).actions.size();
  return total / 40;
}

TEST(ScriptedAgents, DifferInQuality) {
  const auto spec = CartPole().spec();
  const Policy good = [](const Array& observation, Random&) { return balance_cart_pole(observation); };
  EXPECT_EQ(mean_length(good), 500);
  const double middling = mean_length(with_noise(good, spec, 0.5)), poor = mean_length(random_choice(spec));
  EXPECT_NEAR(poor, 22, 5);  // what Gymnasium's users report of random actions
  EXPECT_GT(middling, 4 * poor);
  EXPECT_LT(middling, 300);
}

}  // namespace
}  // namespace rlhf::environments
