// Updates against Stable-Baselines3's: numbers of tests/reference/control/make_updates.py.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <fstream>

#include "rlhf/control/dqn.h"
#include "rlhf/control/ppo.h"
#include "rlhf/control/sac.h"
#include "rlhf/control/td3.h"
#include "tests/control/small_world.h"

namespace rlhf::control {
namespace {

const nlohmann::json& reference(const char* what) {
  static const auto all = [] {
    std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/control/updates.json");
    return nlohmann::json::parse(file);
  }();
  return all.at(what);
}

Tensor numbers(const nlohmann::json& values) { return at::tensor(values.get<std::vector<double>>()).to(at::kFloat); }

void set(const models::NamedWeights& weights, const nlohmann::json& values) {
  const at::NoGradGuard no_gradient;
  for (auto [name, weight] : weights) weight.copy_(numbers(values.at(name)).view_as(weight));
}

void expect_weights(const models::NamedWeights& weights, const nlohmann::json& values) {
  ASSERT_EQ(weights.size(), values.size());
  for (const auto& [name, weight] : weights)
    EXPECT_LE((weight.detach().flatten() - numbers(values.at(name))).abs().max().item<float>(), 1e-5F) << name;
}

const models::NetworkConfig tiny_relu{
    .hidden = {8, 8}, .activation = models::Activation::relu, .initial = models::Initial::uniform};

Transitions transitions(const nlohmann::json& batch, bool choices) {
  const std::int64_t rows = std::ssize(batch.at("rewards"));
  const auto actions = numbers(batch.at("actions"));
  return {.observations = numbers(batch.at("observations")).view({rows, -1}),
          .actions = choices ? actions.to(at::kLong) : actions.view({rows, -1}),
          .rewards = numbers(batch.at("rewards")),
          .next_observations = numbers(batch.at("next_observations")).view({rows, -1}),
          .discounts = (1 - numbers(batch.at("dones"))) * 0.97};
}

/// [steps, envs] as nested lists -> [envs, steps]
Tensor by_environment(const nlohmann::json& rows) {
  std::vector<Tensor> steps;
  for (const auto& row : rows) steps.push_back(numbers(row));
  return at::stack(steps, 1).contiguous();
}

TEST(UpdateReference, Ppo) {
  const auto& r = reference("ppo");
  models::ActorCritic agent(small_spec(environments::Discrete{{"a", "b", "c"}}), {.network = {.hidden = {8, 8}}});
  set(agent.weights(), r.at("before"));
  const std::int64_t envs = 3, steps = 4;
  Rollout rollout{.observations = numbers(r.at("observations")).view({steps, envs, 3}).transpose(0, 1).contiguous(),
                  .actions = by_environment(r.at("actions")).to(at::kLong),
                  .logprobs = by_environment(r.at("old").at("logprobs")),
                  .values = by_environment(r.at("old").at("values")),
                  .rewards = by_environment(r.at("rewards"))};
  // The second environment's episode ended after two steps, the third's with its last one.
  rollout.starts = {0, 4, 6, 8, 12};
  const auto after = r.at("after_values").get<std::vector<double>>();
  rollout.after = at::tensor(std::vector<float>{float(after[0]), 0, float(after[1]), 0});
  const PpoConfig config{.total_steps = 1000,
                         .envs = envs,
                         .steps = steps,
                         .epochs = 3,
                         .minibatch = envs * steps,
                         .learning_rate = 3e-3,
                         .schedule = {.kind = algorithms::Schedule::constant},
                         .value_clip = std::nullopt,
                         .entropy_coefficient = 0.02,
                         .value_coefficient = 1.0,
                         .gae = {.gamma = 0.97, .lambda = 0.9}};
  const auto targets = algorithms::gae(rollout.flat(rollout.rewards), rollout.flat(rollout.values), rollout.starts,
                                       config.gae, rollout.after);
  EXPECT_LE((targets.advantages - by_environment(r.at("advantages")).flatten()).abs().max().item<float>(), 1e-5F);
  EXPECT_LE((targets.returns - by_environment(r.at("returns")).flatten()).abs().max().item<float>(), 1e-5F);
  algorithms::AdamW optimizer(agent.weights(), config.adam);
  update(agent, optimizer, rollout, config, 0);
  expect_weights(agent.weights(), r.at("after"));
}

TEST(UpdateReference, Dqn) {
  const auto& r = reference("dqn");
  const auto spec = small_spec(environments::Discrete{{"a", "b", "c"}});
  DqnConfig config;
  config.network = tiny_relu;
  const QNetwork online(spec, config, 0), target(spec, config, 1);
  set(online.weights(), r.at("before"));
  set(target.weights(), r.at("target"));
  algorithms::AdamW optimizer(online.weights(), config.adam);
  const auto batch = transitions(r.at("batch"), true);
  for (int i = 0; i < 2; ++i) {
    optimizer.zero_grad();
    dqn_loss(online, target, batch, config).loss.backward();
    optimizer.step(3e-3);
  }
  expect_weights(online.weights(), r.at("after"));
}

TEST(UpdateReference, Sac) {
  const auto& r = reference("sac");
  SacConfig config;
  config.network = tiny_relu;
  config.learning_rate = 3e-3;
  SacAgent agent(small_spec(environments::Box{.shape = {2}, .low = {-1}, .high = {1}}), config);
  set(agent.weights(), r.at("before"));
  const auto batch = transitions(r.at("batch"), false);
  for (int i = 0; i < 2; ++i)
    agent.update(batch, numbers(r.at("noises").at(2 * i)).view({-1, 2}),
                 numbers(r.at("noises").at(2 * i + 1)).view({-1, 2}));
  expect_weights(agent.weights(), r.at("after"));
}

TEST(UpdateReference, Td3) {
  const auto& r = reference("td3");
  Td3Config config;
  config.network = tiny_relu;
  config.learning_rate = 3e-3;
  Td3Agent agent(small_spec(environments::Box{.shape = {2}, .low = {-1}, .high = {1}}), config);
  set(agent.weights(), r.at("before"));
  const auto batch = transitions(r.at("batch"), false);
  for (int i = 0; i < 2; ++i) agent.update(batch, numbers(r.at("noises").at(i)).view({-1, 2}));
  expect_weights(agent.weights(), r.at("after"));
}

}  // namespace
}  // namespace rlhf::control
