#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/control/dagger.h"
#include "rlhf/control/gail.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/data/trajectory_file.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/table.h"
#include "tests/control/run_until.h"
#include "tests/control/small_world.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

const auto world = environments::builtin_environments();

std::unique_ptr<environments::VectorEnvironment> poles(std::int64_t count) {
  return environments::make_vector(world, "cart_pole", nullptr, {.count = count});
}

std::vector<data::Trajectory> shown(const char* name, int episodes) {
  const auto environment = environments::make_environment(world, name);
  const auto expert = environments::scripted_agent(environment->spec());
  std::vector<data::Trajectory> all;
  for (int i = 0; i < episodes; ++i)
    all.push_back(environments::roll_out(*environment, expert, static_cast<std::uint64_t>(i), {.keep_states = false}));
  return all;
}

double return_of(const models::ActorCritic& agent) { return mean(play(*poles(10), greedy(agent), 20, 9)); }

TEST(TrajectoryFile, GivesEveryNumberBack) {
  const ScratchFolder scratch;
  for (const char* name : {"cart_pole", "pendulum", "grid"}) {
    const auto before = shown(name, 2);
    data::write_trajectories(scratch / "episodes.jsonl", before);
    const auto after = data::read_trajectories(scratch / "episodes.jsonl");
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      EXPECT_EQ(after[i].spec, before[i].spec);
      EXPECT_EQ(after[i].seed, before[i].seed);
      EXPECT_EQ(after[i].observations, before[i].observations) << name;
      EXPECT_EQ(after[i].actions, before[i].actions) << name;
      EXPECT_EQ(after[i].rewards, before[i].rewards) << name;
      EXPECT_EQ(after[i].terminated, before[i].terminated);
      EXPECT_EQ(after[i].truncated, before[i].truncated);
    }
  }
}

TEST(TrajectoryFile, SaysWhichLineIsNoEpisode) {
  const ScratchFolder scratch;
  auto episodes = shown("cart_pole", 2);
  episodes[1].rewards.pop_back();
  data::write_trajectories(scratch / "episodes.jsonl", episodes);
  const auto error = error_of([&] { data::read_trajectories(scratch / "episodes.jsonl"); });
  EXPECT_EQ(error.category(), Category::bad_data);
  EXPECT_NE(std::string(error.what()).find("episodes.jsonl:2"), std::string::npos) << error.what();
}

TEST(BehaviourCloning, LossWorkedByHand) {
  const models::ActorCritic agent(small_spec(environments::Discrete{{"a", "b"}}), {.network = {.hidden = {}}});
  {
    const at::NoGradGuard no_gradient;
    for (auto& [name, weight] : agent.weights()) weight.zero_();
    agent.weights().at(1).second.copy_(at::tensor({1.0F, 0.0F}));  // the policy's bias: logits 1 and 0
  }
  const Shown batch{at::zeros({2, 3}), at::tensor({0, 1}, at::kLong)};
  const auto out = bc_loss(agent, batch, {.entropy_weight = 0.5, .l2 = 0.1});
  // -log p: 0.313262 and 1.313262; the entropy of (0.731059, 0.268941) is 0.582203; squares of the weights sum to 1
  EXPECT_NEAR(out.loss.item<double>(), 0.813262 - 0.5 * 0.582203 + 0.05, 1e-5);
  EXPECT_NEAR(out.metrics.agreement, 0.5, 1e-9);
}

TEST(BehaviourCloning, BalancesThePoleAsItWasShown) {
  const ScratchFolder scratch;
  const auto environments = poles(1);
  models::ActorCritic agent(environments->spec(), {.network = {.hidden = {32, 32}}, .seed = 5});
  rlhf::Run run({.folder = scratch / "run", .quiet = true}, "", nlohmann::json::object());
  train(agent, shown_in(environments->spec(), shown("cart_pole", 5)), BcConfig{.epochs = 12}, run);
  EXPECT_GT(return_of(agent), 400);
}

TEST(BehaviourCloning, RefusesWhatWasSeenThroughOtherEyes) {
  const auto pendulum = shown("pendulum", 1);
  EXPECT_EQ(error_of([&] { shown_in(poles(1)->spec(), pendulum); }).category(), Category::check);
}

std::string after_dagger(const std::filesystem::path& folder, std::int64_t stop_after) {
  const auto alone = environments::make_environment(world, "cart_pole");
  models::ActorCritic agent(alone->spec(), {.network = {.hidden = {32, 32}}, .seed = 5});
  std::int64_t asked = 0;
  auto run = run_until(folder, [&] { return stop_after > 0 && ++asked >= stop_after; });
  train(agent, *alone, environments::scripted_agent(alone->spec()), DaggerConfig{.rounds = 4, .beta_rounds = 2}, run);
  if (stop_after == 0) {
    EXPECT_GT(return_of(agent), 350);
  }
  return read_file(folder / "checkpoints/latest/agent.safetensors");
}

std::int64_t checkpoints_in(const std::filesystem::path& folder) {
  std::int64_t count = 0;
  for (const auto& each : std::filesystem::directory_iterator(folder / "checkpoints"))
    count += each.is_directory() && !each.is_symlink();
  return count;
}

TEST(Dagger, LearnsFromAnExpertAndResumesToTheSameBits) {
  const ScratchFolder scratch;
  const auto expected = after_dagger(scratch / "whole", 0);
  after_dagger(scratch / "cut", 2);
  EXPECT_EQ(after_dagger(scratch / "cut", 0), expected);
  EXPECT_GE(checkpoints_in(scratch / "whole"), 2);  // not at the end alone: an expert's answers are dear
  EXPECT_EQ(read_file(scratch / "cut/metrics.jsonl"), read_file(scratch / "whole/metrics.jsonl"));
}

TEST(Dagger, ShareOfTheExpertFallsInAStraightLine) {
  const DaggerConfig config{.beta_rounds = 4};
  EXPECT_DOUBLE_EQ(config.beta(0), 1.0);
  EXPECT_DOUBLE_EQ(config.beta(1), 0.75);
  EXPECT_DOUBLE_EQ(config.beta(9), 0.0);
}

TEST(Gail, DiscriminatorLearnsWhoActed) {
  const auto spec = small_spec(environments::Discrete{{"a", "b"}});
  const auto seen = at::randn({400, 3});
  const Shown expert{seen, (seen.select(1, 0) > 0).to(at::kLong)}, other{seen, (seen.select(1, 0) <= 0).to(at::kLong)};
  Discriminator judge(spec, expert, {.learning_rate = 1e-2, .batch = 200, .updates = 150});
  EXPECT_NEAR(judge.rewards(expert).mean().item<double>(), judge.rewards(other).mean().item<double>(), 0.5);
  judge.update(other, 0);
  EXPECT_GT(judge.rewards(expert).mean().item<double>(), 1.5);
  EXPECT_LT(judge.rewards(other).mean().item<double>(), 0.5);
}

TEST(Gail, WhatTheExpertNeverDidIsNoGiantAmongInputs) {
  const auto spec = small_spec(environments::Discrete{{"a", "b", "never"}});
  const auto seen = at::randn({400, 3});
  const Shown expert{seen, (seen.select(1, 0) > 0).to(at::kLong)}, other{seen, at::full({400}, 2, at::kLong)};
  const Discriminator judge(spec, expert, {});
  EXPECT_LT(judge.rewards(other).max().item<double>(), 10);
}

std::string after_gail(const std::filesystem::path& folder, std::int64_t stop_after) {
  const auto environments = poles(8);
  GailConfig config{.batch = 256, .ppo = {.total_steps = 8 * 64 * 6, .envs = 8, .steps = 64, .minibatch = 128}};
  models::ActorCritic agent(environments->spec(), {.seed = 5});
  std::int64_t asked = 0;
  auto run = run_until(folder, [&] { return stop_after > 0 && ++asked >= stop_after; });
  train(agent, *environments, shown_in(environments->spec(), shown("cart_pole", 2)), config, run);
  return read_file(folder / "checkpoints/latest/agent.safetensors");
}

TEST(Gail, ResumesToTheSameBits) {
  const ScratchFolder scratch;
  const auto expected = after_gail(scratch / "whole", 0);
  after_gail(scratch / "cut", 3);
  EXPECT_EQ(after_gail(scratch / "cut", 0), expected);
  EXPECT_EQ(read_file(scratch / "cut/metrics.jsonl"), read_file(scratch / "whole/metrics.jsonl"));
}

}  // namespace
}  // namespace rlhf::control
