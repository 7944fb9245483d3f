#include "rlhf/control/a2c.h"

#include <gtest/gtest.h>

#include "rlhf/core/files.h"
#include "rlhf/environments/table.h"
#include "tests/control/reference_numbers.h"
#include "tests/control/run_until.h"
#include "tests/control/small_world.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

/// Numbers of tests/reference/control/make_a2c.py.
TEST(A2c, TwoUpdatesAreThoseOfStableBaselines3) {
  const auto r = reference("a2c.json");
  const models::ActorCritic agent(small_spec(environments::Discrete{{"a", "b", "c"}}), {.network = {.hidden = {8, 8}}});
  set(agent.weights(), r.at("before"));
  const std::int64_t envs = 3, steps = 5;
  const A2cConfig config{.total_steps = 30,
                         .envs = envs,
                         .learning_rate = 7e-3,
                         .entropy_coefficient = 0.01,
                         .gae = {.gamma = 0.97, .lambda = 1.0}};
  algorithms::RmsProp optimizer(agent.weights(), config.optimizer);
  for (std::int64_t index = 0; index < 2; ++index) {
    const auto& one = r.at("rollouts").at(static_cast<std::size_t>(index));
    Rollout rollout{.observations = numbers(one.at("observations")).view({steps, envs, 3}).transpose(0, 1).contiguous(),
                    .actions = by_environment(one.at("actions")).to(at::kLong),
                    .values = by_environment(one.at("values")),
                    .rewards = by_environment(one.at("rewards"))};
    // The second environment's episode ended after two steps, the third's with its last one.
    rollout.starts = {0, 5, 7, 10, 15};
    const auto after = one.at("after_values").get<std::vector<double>>();
    rollout.after = at::tensor(std::vector<float>{float(after[0]), 0, float(after[1]), 0});
    update(agent, optimizer, rollout, config, index);
    SCOPED_TRACE(index);
    expect_weights(agent.weights(), one.at("after"));
  }
}

std::string trained(const std::filesystem::path& folder, std::int64_t stop_after) {
  const auto environments =
      environments::make_vector(environments::builtin_environments(), "cart_pole", nullptr, {.count = 8});
  const A2cConfig config{.total_steps = 8 * 5 * 60, .report_every = 20, .seed = 3};
  models::ActorCritic agent(environments->spec(), {.seed = 5});
  std::int64_t rollouts = 0;
  auto run = run_until(folder, [&] { return stop_after > 0 && rollouts >= stop_after; });
  train(agent, *environments, config, {.after = [&](std::int64_t, const Rollout&) { ++rollouts; }}, run);
  return read_file(folder / "checkpoints/latest/agent.safetensors");
}

TEST(A2c, ResumesToTheSameBits) {
  const ScratchFolder scratch;
  const auto expected = trained(scratch / "whole", 0);
  trained(scratch / "cut", 31);
  EXPECT_EQ(trained(scratch / "cut", 0), expected);
  EXPECT_EQ(read_file(scratch / "cut/metrics.jsonl"), read_file(scratch / "whole/metrics.jsonl"));
}

TEST(A2c, LearnsToBalanceAPole) {
  const ScratchFolder scratch;
  const auto environments =
      environments::make_vector(environments::builtin_environments(), "cart_pole", nullptr, {.count = 8});
  models::ActorCritic agent(environments->spec(), {.seed = 5});
  rlhf::Run run({.folder = scratch / "run", .quiet = true}, "", nlohmann::json::object());
  train(agent, *environments, {.total_steps = 120000, .report_every = 1000, .seed = 3}, {}, run);
  const auto fresh =
      environments::make_vector(environments::builtin_environments(), "cart_pole", nullptr, {.count = 10});
  EXPECT_GT(mean(play(*fresh, greedy(agent), 20, 9)), 200);
}

}  // namespace
}  // namespace rlhf::control
