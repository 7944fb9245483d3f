// Updates against Stable-Baselines3's: numbers of tests/reference/control/make_updates.py.
#include <gtest/gtest.h>

#include "rlhf/control/dqn.h"
#include "rlhf/control/ppo.h"
#include "rlhf/control/sac.h"
#include "rlhf/control/td3.h"
#include "tests/control/reference_numbers.h"
#include "tests/control/small_world.h"

namespace rlhf::control {
namespace {

/// One update on the rollout of a section; `actions` [envs, steps, ...] are in it, too.
void expect_ppo(const nlohmann::json& r, const environments::Space& space, const Tensor& actions) {
  models::ActorCritic agent(small_spec(space), {.network = {.hidden = {8, 8}}});
  set(agent.weights(), r.at("before"));
  const std::int64_t envs = 3, steps = 4;
  Rollout rollout{.observations = numbers(r.at("observations")).view({steps, envs, 3}).transpose(0, 1).contiguous(),
                  .actions = actions,
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

TEST(UpdateReference, Ppo) {
  const auto r = reference("updates.json").at("ppo");
  expect_ppo(r, environments::Discrete{{"a", "b", "c"}}, by_environment(r.at("actions")).to(at::kLong));
}

/// With numbers as actions, and their deviations learnt.
TEST(UpdateReference, GaussianPpo) {
  const auto r = reference("updates.json").at("gaussian_ppo");
  std::vector<Tensor> steps;  // [envs, 2] each
  for (const auto& step : r.at("actions")) steps.push_back(by_environment(step).t());
  expect_ppo(r, environments::Box{.shape = {2}, .low = {-1}, .high = {1}}, at::stack(steps, 1).contiguous());
}

TEST(UpdateReference, Dqn) {
  const auto r = reference("updates.json").at("dqn");
  const auto spec = small_spec(environments::Discrete{{"a", "b", "c"}});
  DqnConfig config;
  config.network = tiny_relu;
  const QNetwork online(spec, config, 0), target(spec, config, 1);
  set(online.weights(), r.at("before"));
  set(target.weights(), r.at("target"));
  algorithms::AdamW optimizer(online.weights(), config.adam);
  const auto batch = transitions(r.at("batch"), 0.97, true);
  for (int i = 0; i < 2; ++i) {
    optimizer.zero_grad();
    dqn_loss(online, target, batch, config).loss.backward();
    optimizer.step(3e-3);
  }
  expect_weights(online.weights(), r.at("after"));
}

TEST(UpdateReference, Sac) {
  const auto r = reference("updates.json").at("sac");
  SacConfig config;
  config.network = tiny_relu;
  config.learning_rate = 3e-3;
  SacAgent agent(small_spec(environments::Box{.shape = {2}, .low = {-1}, .high = {1}}), config);
  set(agent.weights(), r.at("before"));
  const auto batch = transitions(r.at("batch"), 0.97, false);
  for (int i = 0; i < 2; ++i)
    agent.update(batch, numbers(r.at("noises").at(2 * i)).view({-1, 2}),
                 numbers(r.at("noises").at(2 * i + 1)).view({-1, 2}));
  expect_weights(agent.weights(), r.at("after"));
}

TEST(UpdateReference, Td3) {
  const auto r = reference("updates.json").at("td3");
  Td3Config config;
  config.network = tiny_relu;
  config.learning_rate = 3e-3;
  Td3Agent agent(small_spec(environments::Box{.shape = {2}, .low = {-1}, .high = {1}}), config);
  set(agent.weights(), r.at("before"));
  const auto batch = transitions(r.at("batch"), 0.97, false);
  for (int i = 0; i < 2; ++i) agent.update(batch, numbers(r.at("noises").at(i)).view({-1, 2}));
  expect_weights(agent.weights(), r.at("after"));
}

}  // namespace
}  // namespace rlhf::control
