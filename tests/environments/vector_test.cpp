#include "rlhf/environments/vector.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "rlhf/environments/cart_pole.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

std::vector<float> row(const Tensor& observations, std::int64_t i) {
  const auto one = observations[i].contiguous();
  return {one.const_data_ptr<float>(), one.const_data_ptr<float>() + one.numel()};
}

Tensor choices(std::int64_t count, std::int64_t step) {
  auto actions = at::full({count}, 0, at::kLong);
  for (std::int64_t i = 0; i < count; ++i) actions[i] = (step * 7 + i * 3 + step / 5) % 2;
  return actions;
}

TEST(Vector, EachEnvironmentIsWhatItWouldBeAlone) {
  Batch<CartPoleWorld> many({.max_steps = 30}, {.count = 5});
  std::vector<CartPole> alone(5, CartPole({.max_steps = 30}));
  many.reset(11);
  for (int i = 0; i < 5; ++i) {
    const auto start = alone[i].reset(many.place(i).seed);
    EXPECT_EQ(std::get<std::vector<float>>(start.observation), row(many.observations(), i));
  }
  std::int64_t ended = 0;
  for (std::int64_t t = 0; t < 200; ++t) {
    const auto actions = choices(5, t);
    const auto& step = many.step(actions);
    for (std::int64_t i = 0; i < 5; ++i) {
      const auto single = alone[i].step(actions[i].item<std::int64_t>());
      const bool over = single.terminated || single.truncated;
      ASSERT_EQ(step.terminated[i].item<bool>(), single.terminated);
      ASSERT_EQ(step.truncated[i].item<bool>(), single.truncated);
      ASSERT_EQ(step.rewards[i].item<double>(), single.reward);
      const auto& seen = over ? step.final_observations : step.observations;
      ASSERT_EQ(row(seen, i), std::get<std::vector<float>>(single.observation)) << t << " " << i;
      if (!over) {
        ASSERT_EQ(many.state_of(i), alone[i].state());
        continue;
      }
      ++ended;
      EXPECT_EQ(many.place(i).step, 0);
      EXPECT_EQ(std::get<std::vector<float>>(alone[i].reset(many.place(i).seed).observation),
                row(step.observations, i));
    }
  }
  EXPECT_GT(ended, 10);
}

TEST(Vector, NextStepIgnoresTheActionAfterTheEnd) {
  Batch<CartPoleWorld> many({.max_steps = 3}, {.count = 2, .auto_reset = AutoReset::next_step});
  many.reset(1);
  for (int t = 0; t < 2; ++t) EXPECT_EQ(many.step(choices(2, 0)).ended, 0);
  const auto last = many.step(choices(2, 0));
  EXPECT_EQ(last.ended, 2);
  EXPECT_TRUE(last.truncated.all().item<bool>());
  EXPECT_FALSE(last.final_observations.defined());
  const auto seed = many.place(0).seed;
  const auto& again = many.step(choices(2, 0));
  EXPECT_EQ(again.rewards.sum().item<double>(), 0);
  EXPECT_FALSE(again.truncated.any().item<bool>());
  EXPECT_NE(many.place(0).seed, seed);
  EXPECT_EQ(std::get<std::vector<float>>(CartPole({.max_steps = 3}).reset(many.place(0).seed).observation),
            row(again.observations, 0));
}

TEST(Vector, WithoutAutoResetWhatEndedStandsStill) {
  Batch<CartPoleWorld> many({.max_steps = 3}, {.count = 1, .auto_reset = AutoReset::disabled});
  many.reset(1);
  for (int t = 0; t < 3; ++t) many.step(choices(1, 0));
  const auto before = many.state();
  const auto& after = many.step(choices(1, 0));
  EXPECT_EQ(many.state(), before);
  EXPECT_TRUE(after.truncated.item<bool>());
  EXPECT_EQ(after.rewards.item<double>(), 0);
}

TEST(Vector, GoesOnFromASavedState) {
  Batch<CartPoleWorld> one({}, {.count = 3}), other({}, {.count = 3});
  one.reset(4);
  for (int t = 0; t < 40; ++t) one.step(choices(3, t));
  other.set_state(one.state());
  EXPECT_TRUE(other.observations().equal(one.observations()));
  for (int t = 40; t < 120; ++t)
    ASSERT_TRUE(other.step(choices(3, t)).observations.equal(one.step(choices(3, t)).observations));
  EXPECT_EQ(one.state(), other.state());
  EXPECT_THROW(other.set_state("no"), Error);
}

TEST(Vector, AnyEnvironmentsSideBySideAreTheSameOnHoweverManyThreads) {
  const auto make = [] { return std::make_unique<CartPole>(CartPoleConfig{.max_steps = 40}); };
  Batch<CartPoleWorld> expected({.max_steps = 40}, {.count = 5});
  const auto one = each_of(make, {.count = 5}), three = each_of(make, {.count = 5, .threads = 3});
  for (auto* each : {static_cast<VectorEnvironment*>(&expected), one.get(), three.get()}) each->reset(9);
  for (std::int64_t t = 0; t < 150; ++t) {
    if (t == 70) three->set_state(one->state());
    const auto actions = choices(5, t);
    const auto& want = expected.step(actions);
    for (auto* each : {one.get(), three.get()}) {
      const auto& got = each->step(actions);
      ASSERT_TRUE(got.observations.equal(want.observations)) << t;
      ASSERT_TRUE(got.rewards.equal(want.rewards) && got.terminated.equal(want.terminated));
      ASSERT_TRUE(got.truncated.equal(want.truncated));
      ASSERT_EQ(got.ended, want.ended);
      for (std::int64_t i = 0; i < 5; ++i) ASSERT_EQ(each->place(i).seed, expected.place(i).seed);
    }
  }
  EXPECT_THROW(three->set_state("no"), Error);
}

TEST(Vector, RefusesActionsThatDoNotFit) {
  Batch<CartPoleWorld> many({}, {.count = 2});
  many.reset(1);
  EXPECT_THROW(many.step(at::full({2}, 2, at::kLong)), Error);
  EXPECT_THROW(many.step(at::full({2}, -1, at::kLong)), Error);
  EXPECT_THROW(many.step(at::full({3}, 0, at::kLong)), Error);
  EXPECT_THROW(many.step(at::full({2}, 0, at::kFloat)), Error);
  EXPECT_THROW((Batch<CartPoleWorld>({}, {.count = 0})), Error);
}

}  // namespace
}  // namespace rlhf::environments
