#include "rlhf/control/a2c.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <fstream>

#include "rlhf/core/files.h"
#include "rlhf/environments/table.h"
#include "tests/control/small_world.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

Tensor numbers(const nlohmann::json& values) { return at::tensor(values.get<std::vector<double>>()).to(at::kFloat); }

/// [steps, envs] as nested lists -> [envs, steps]
Tensor by_environment(const nlohmann::json& rows) {
  std::vector<Tensor> steps;
  for (const auto& row : rows) steps.push_back(numbers(row));
  return at::stack(steps, 1).contiguous();
}

/// Numbers of tests/reference/control/make_a2c.py.
TEST(A2c, TwoUpdatesAreThoseOfStableBaselines3) {
  std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/control/a2c.json");
  const auto r = nlohmann::json::parse(file);
  const models::ActorCritic agent(small_spec(environments::Discrete{{"a", "b", "c"}}), {.network = {.hidden = {8, 8}}});
  {
    const at::NoGradGuard no_gradient;
    for (auto [name, weight] : agent.weights()) weight.copy_(numbers(r.at("before").at(name)).view_as(weight));
  }
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
    for (const auto& [name, weight] : agent.weights())
      EXPECT_LE((weight.detach().flatten() - numbers(one.at("after").at(name))).abs().max().item<float>(), 1e-5F)
          << name << " after rollout " << index;
  }
}

std::string trained(const std::filesystem::path& folder, std::int64_t stop_after) {
  const auto environments =
      environments::make_vector(environments::builtin_environments(), "cart_pole", nullptr, {.count = 8});
  const A2cConfig config{.total_steps = 8 * 5 * 60, .report_every = 20, .seed = 3};
  models::ActorCritic agent(environments->spec(), {.seed = 5});
  std::int64_t rollouts = 0;
  rlhf::Run run({.folder = folder,
                 .resume = true,
                 .stop_requested = [&] { return stop_after > 0 && rollouts >= stop_after; },
                 .quiet = true},
                "", nlohmann::json::object());
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
