#include "rlhf/control/cql.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <gtest/gtest.h>

#include "rlhf/control/discrete_cql.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/table.h"
#include "tests/control/reference_numbers.h"
#include "tests/control/run_until.h"
#include "tests/control/small_world.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

/// Numbers of tests/reference/control/make_cql.py.
TEST(Cql, TwoUpdatesAreThoseOfD3rlpy) {
  const auto r = reference("cql.json").at("continuous");
  CqlConfig config;
  config.network = tiny_relu;
  config.policy_learning_rate = 3e-3;
  config.critic_learning_rate = 1e-3;
  config.threshold = 2;
  config.samples = r.at("samples");
  CqlAgent agent(small_spec(environments::Box{.shape = {2}, .low = {-1}, .high = {1}}), config);
  set(agent.weights(), r.at("before"));
  const auto batch = transitions(r.at("batch"), r.at("gamma"), false);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto noise = [&](const char* name) { return numbers(r.at("noises").at(i).at(name)).view({-1, 2}); };
    agent.update(batch, {noise("now"), noise("next"), noise("uniform"), noise("policy")});
    expect_weights(agent.weights(), r.at("after").at(i));
  }
}

TEST(DiscreteCql, TwoUpdatesAreThoseOfD3rlpy) {
  const auto r = reference("cql.json").at("discrete");
  const auto spec = small_spec(environments::Discrete{{"a", "b", "c"}});
  DiscreteCqlConfig config;
  config.network = tiny_relu;
  config.alpha = r.at("alpha");
  const QNetwork online(spec, config.learner(), 0), target(spec, config.learner(), 1);
  set(online.weights(), r.at("before"));
  set(target.weights(), r.at("target"));
  algorithms::AdamW optimizer(online.weights(), config.learner().adam);
  for (std::size_t i = 0; i < 2; ++i) {
    optimizer.zero_grad();
    discrete_cql_loss(online, target, transitions(r.at("batch"), r.at("gamma"), true), config).loss.backward();
    optimizer.step(3e-3);
    expect_weights(online.weights(), r.at("after").at(i));
  }
}

const auto world = environments::builtin_environments();

std::vector<data::Trajectory> played(const char* name, int episodes, double noise) {
  const auto environment = environments::make_environment(world, name);
  const auto& spec = environment->spec();
  const auto policy = environments::with_noise(environments::scripted_agent(spec), spec, noise);
  std::vector<data::Trajectory> all;
  for (int i = 0; i < episodes; ++i)
    all.push_back(environments::roll_out(*environment, policy, static_cast<std::uint64_t>(i), {.keep_states = false}));
  return all;
}

double mean_return(const std::vector<data::Trajectory>& episodes) {
  double sum = 0;
  for (const auto& each : episodes)
    for (const double reward : each.rewards) sum += reward;
  return sum / static_cast<double>(episodes.size());
}

TEST(DiscreteCql, BeatsTheNoisyAgentItLearnsFrom) {
  const ScratchFolder scratch;
  const auto episodes = played("cart_pole", 30, 0.5);
  const auto environments = environments::make_vector(world, "cart_pole", nullptr, {.count = 10});
  DiscreteCqlConfig config;
  config.network.hidden = {64, 64};
  config.updates = 4000;
  config.learning_rate = 1e-3;
  config.target_every = 200;
  rlhf::Run run({.folder = scratch / "run", .quiet = true}, "", nlohmann::json::object());
  const auto agent = train_discrete_cql(environments->spec(), episodes, config, run);
  const auto act = [&](const Tensor& seen) { return at::argmax(agent->values(seen), 1); };
  const auto returns = play(*environments, act, 20, 3);
  EXPECT_GT(mean(returns), 1.3 * mean_return(episodes));
}

std::string trained(const std::filesystem::path& folder, std::int64_t stop_after) {
  const auto episodes = played("pendulum", 2, 0.3);
  const auto spec = environments::make_environment(world, "pendulum")->spec();
  CqlConfig config;
  config.network.hidden = {16};
  config.updates = 60;
  config.batch = 16;
  config.report_every = 20;
  std::int64_t asked = 0;
  auto run = run_until(folder, [&] { return stop_after > 0 && ++asked >= stop_after; });
  train_cql(spec, episodes, config, run);
  return read_file(folder / "checkpoints/latest/agent.safetensors");
}

TEST(Cql, ResumesToTheSameBits) {
  const ScratchFolder scratch;
  const auto expected = trained(scratch / "whole", 0);
  trained(scratch / "cut", 33);
  EXPECT_EQ(trained(scratch / "cut", 0), expected);
  EXPECT_EQ(read_file(scratch / "cut/metrics.jsonl"), read_file(scratch / "whole/metrics.jsonl"));
}

TEST(Cql, BringsActionsFromTheEnvironmentsUnits) {
  const auto episodes = played("pendulum", 1, 1.0);  // torques within ±2
  const auto spec = environments::make_environment(world, "pendulum")->spec();
  const ActionRange range(spec);
  const auto replay = recorded(spec, episodes, {}, &range);
  Random random(1);
  const auto batch = replay.sample(500, random);
  EXPECT_LE(batch.actions.abs().max().item<float>(), 1.0F);
  EXPECT_GT(batch.actions.abs().max().item<float>(), 0.9F);
}

}  // namespace
}  // namespace rlhf::control
