#include "rlhf/control/rollout.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "rlhf/control/clip_pool.h"
#include "rlhf/environments/table.h"

namespace rlhf::control {
namespace {

std::unique_ptr<environments::VectorEnvironment> make(const char* name, const nlohmann::json& settings) {
  return environments::make_vector(environments::builtin_environments(), name, settings, {.count = 2});
}

Rollout collected(environments::VectorEnvironment& environments, const models::ActorCriticConfig& config = {}) {
  const models::ActorCritic agent(environments.spec(), config);
  return Collector(environments, agent, 30, 1).collect(/*keep_states=*/true);
}

TEST(Rollout, KnowsWhatWasEarnedWhereItIsHiddenFromTheLearner) {
  const auto shown = make("cart_pole", nullptr), hidden = make("cart_pole", {{"wrappers", {"hide_reward"}}});
  const auto one = collected(*shown), other = collected(*hidden);
  EXPECT_TRUE(at::equal(one.earned, one.rewards));
  EXPECT_EQ(other.rewards.abs().sum().item<float>(), 0);
  EXPECT_TRUE(at::equal(other.earned, one.earned));
}

TEST(Rollout, KnowsWhatTheEnvironmentWasSent) {
  const auto environments = make("pendulum", nullptr);
  const auto rollout = collected(*environments, {.seed = 3});
  EXPECT_GT((rollout.actions.abs() > 2).sum().item<std::int64_t>(), 0);  // a normal distribution knows no bounds
  EXPECT_TRUE(at::equal(rollout.sent, rollout.actions.clamp(-2, 2)));

  const auto segment = cut(environments->spec(), rollout, 1, 0, 30, 0);
  for (std::int64_t t = 0; t < 30; ++t)
    EXPECT_EQ(std::get<std::vector<float>>(segment.actions[static_cast<std::size_t>(t)])[0],
              rollout.sent[1][t][0].item<float>());
}

TEST(ClipPool, TestPairsAreOfAllOfTraining) {
  const auto environments = make("cart_pole", {{"max_steps", 40}});
  const PreferenceConfig config{.clip_steps = 5, .clips = 20, .rollout_clips = 40};
  ClipPool pool(environments->spec(), RewardInputs(environments->spec(), config), config);
  const auto rollout = collected(*environments);
  for (std::int64_t version = 0; version < 200; ++version) pool.keep(rollout, version, 1);  // 2000 pairs
  ASSERT_EQ(pool.test_pairs().size(), 500);
  std::array<std::int64_t, 4> of_quarter{};
  for (const auto& [first, second] : pool.test_pairs())
    ++of_quarter[static_cast<std::size_t>(first.segment.policy_version / 50)];
  for (const auto count : of_quarter) EXPECT_NEAR(static_cast<double>(count), 125, 40);  // four deviations
}

}  // namespace
}  // namespace rlhf::control
