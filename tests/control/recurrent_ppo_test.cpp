#include "rlhf/control/recurrent_ppo.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/partly_seen.h"
#include "rlhf/environments/table.h"
#include "tests/control/run_until.h"
#include "tests/control/small_world.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

/// A pole of which the two speeds are hidden: one look does not say where it moves.
std::unique_ptr<environments::VectorEnvironment> poles(std::int64_t count) {
  return environments::partly_seen(
      environments::make_vector(environments::builtin_environments(), "cart_pole", nullptr, {.count = count}), {0, 2});
}

const auto choices = small_spec(environments::Discrete{{"a", "b"}});

TEST(Recurrent, OneUnitWorkedByHand) {
  const at::NoGradGuard no_gradient;
  models::RecurrentActorCritic agent(choices, {.width = 1});
  for (auto& [name, weight] : agent.weights()) weight.fill_(name.ends_with("bias") ? 0.0 : 0.5);
  const auto seen = at::tensor({1.0F, 2.0F, -1.0F}).view({1, 3});
  const auto out = agent.step(seen, at::tensor({0.4F, -0.2F}).view({1, 2}));
  // embedded tanh(0.5 * 2); each gate 0.5 embedded + 0.5 * 0.4
  const double gate = 0.5 * std::tanh(1.0) + 0.2, open = 1 / (1 + std::exp(-gate));
  const double cell = open * -0.2 + open * std::tanh(gate), hidden = open * std::tanh(cell);
  EXPECT_NEAR(out.memory.select(1, 0).item<double>(), hidden, 1e-6);
  EXPECT_NEAR(out.memory.select(1, 1).item<double>(), cell, 1e-6);
  EXPECT_NEAR(out.judged.values.item<double>(), 0.5 * hidden, 1e-6);
}

TEST(Recurrent, UnrollsAsItStepsAndForgetsWhereAnEpisodeBegins) {
  const at::NoGradGuard no_gradient;
  const models::RecurrentActorCritic agent(choices, {.width = 5, .seed = 3});
  const auto seen = at::randn({2, 6, 3}), memory = at::randn({2, 10});
  auto begins = at::zeros({2, 6});
  begins.select(0, 1).select(0, 4).fill_(1);
  const auto whole = agent.unroll(seen, begins, memory).values.view({2, 6});
  auto now = memory;
  for (std::int64_t t = 0; t < 6; ++t) {
    if (t == 4) now = at::cat({now.narrow(0, 0, 1), at::zeros({1, 10})});
    const auto step = agent.step(seen.select(1, t), now);
    EXPECT_LE((step.judged.values - whole.select(1, t)).abs().max().item<float>(), 1e-6F) << t;
    now = step.memory;
  }
}

TEST(RecurrentPpo, RolloutIsJudgedAsItWasPlayed) {
  const auto environments = poles(4);
  const models::RecurrentActorCritic agent(environments->spec(), {.width = 8, .seed = 2});
  RecurrentPlayer player(agent, 4);
  Collector collector(*environments, player.actor(), 40, 7);
  collector.collect();
  const auto before = player.memory();
  const auto rollout = collector.collect();  // episodes end in it: about twenty steps each
  EXPECT_GT(begins_of(rollout).sum().item<double>(), 0);
  const auto judged = agent.unroll(rollout.observations.to(at::kFloat), begins_of(rollout), before);
  EXPECT_LE((judged.values - rollout.values.flatten()).abs().max().item<float>(), 1e-5F);
  const auto logprobs = models::judge(judged.policy, rollout.flat(rollout.actions)).logprobs;
  EXPECT_LE((logprobs - rollout.logprobs.flatten()).abs().max().item<float>(), 1e-5F);
}

PpoConfig quick(std::int64_t total) {
  return {.total_steps = total,
          .envs = 8,
          .steps = 64,
          .minibatch = 256,
          .learning_rate = 2e-3,
          .report_every = 5,
          .seed = 3};
}

std::string trained(const std::filesystem::path& folder, std::int64_t stop_after) {
  const auto environments = poles(8);
  models::RecurrentActorCritic agent(environments->spec(), {.width = 16, .seed = 5});
  std::int64_t rollouts = 0;
  auto run = run_until(folder, [&] { return stop_after > 0 && rollouts >= stop_after; });
  train(agent, *environments, quick(512 * 5), {.after = [&](std::int64_t, const Rollout&) { ++rollouts; }}, run);
  return read_file(folder / "checkpoints/latest/agent.safetensors");
}

TEST(RecurrentPpo, ResumesToTheSameBits) {
  const ScratchFolder scratch;
  const auto expected = trained(scratch / "whole", 0);
  trained(scratch / "cut", 2);
  EXPECT_EQ(trained(scratch / "cut", 0), expected);
  EXPECT_EQ(read_file(scratch / "cut/metrics.jsonl"), read_file(scratch / "whole/metrics.jsonl"));
}

TEST(RecurrentPpo, RefusesPiecesOfSequences) {
  const ScratchFolder scratch;
  const auto environments = poles(8);
  models::RecurrentActorCritic agent(environments->spec(), {.width = 4});
  rlhf::Run run({.folder = scratch / "run", .quiet = true}, "", nlohmann::json::object());
  auto config = quick(5120);
  config.minibatch = 100;
  EXPECT_EQ(error_of([&] { train(agent, *environments, config, {}, run); }).category(), Category::usage);
}

TEST(PartlySeen, ShowsWhatItIsToldAndNoMore) {
  const auto table = environments::builtin_environments();
  const auto whole = environments::make_vector(table, "cart_pole", nullptr, {.count = 3});
  const auto part = poles(3);
  EXPECT_EQ(part->spec().settings.at("observe"), nlohmann::json({0, 2}));
  EXPECT_TRUE(part->reset(4).equal(whole->reset(4).index_select(1, at::tensor({0, 2}, at::kLong))));
  for (int t = 0; t < 60; ++t) {
    const auto actions = at::tensor({t % 2, 1, 0}, at::kLong);
    const auto& some = part->step(actions);
    const auto& all = whole->step(actions);
    EXPECT_TRUE(some.observations.equal(all.observations.index_select(1, at::tensor({0, 2}, at::kLong))));
    EXPECT_TRUE(some.rewards.equal(all.rewards));
  }
  EXPECT_EQ(error_of([&] {
              environments::partly_seen(environments::make_vector(table, "cart_pole", nullptr, {}), {4});
            }).category(),
            Category::usage);
}

}  // namespace
}  // namespace rlhf::control
