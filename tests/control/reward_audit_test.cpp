#include "rlhf/control/reward_audit.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "rlhf/control/dqfd.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/key_treasure.h"
#include "rlhf/environments/table.h"
#include "tests/control/run_until.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

constexpr environments::KeyTreasureConfig endless{.continuing = true};

std::unique_ptr<environments::VectorEnvironment> world(std::int64_t count) {
  return environments::make_vector(environments::builtin_environments(), "key_treasure", {{"continuing", true}},
                                   {.count = count});
}

PreferenceConfig few_labels() {
  PreferenceConfig config{.labels = 60, .schedule = 100, .clip_steps = 8, .clips = 40, .rollout_clips = 40};
  config.selection = Selection::random;
  config.actions = false;
  config.outcomes = config.autolabels = true;
  config.first_updates = 60;
  config.reward = {.members = 1, .deviation = 0.05, .prior = 1e-4, .input_noise = 0.1, .dropout = 0.2};
  config.seed = 3;
  return config;
}

struct Learnt {
  std::string agent, metrics, frozen;
  std::int64_t labels = 0, autolabels = 0;
};

/// DQfD on comparisons and demonstrations, 600 steps; stopped after so many rollouts.
Learnt learned(const std::filesystem::path& folder, std::int64_t stop_after) {
  DqfdConfig config;
  config.total_steps = 600;
  config.learning_rate = 1e-3;
  config.target_every = 100;
  config.report_every = 200;
  std::vector<data::Trajectory> shown;
  for (std::uint64_t i = 0; i < 3; ++i) shown.push_back(environments::demonstrate(endless, i, 0.1));
  std::int64_t rollouts = 0;
  auto run = run_until(folder, [&] { return stop_after > 0 && rollouts >= stop_after; });
  const auto environments = world(1);
  Preferences preferences(std::make_unique<environments::KeyTreasure>(endless), environments->spec(), few_labels(),
                          config.total_steps, run);
  preferences.set_demonstrations(shown);
  DqfdLearner learner(environments->spec(), config);
  preferences.begin([&] { return play_rollout(learner.agent(), *world(1), 300, 9); });
  auto hooks = preferences.off_policy_hooks(200);
  hooks.demonstrations = shown;
  hooks.rolled_out = [&, inner = hooks.rolled_out](std::int64_t index, const Rollout& rollout) {
    EXPECT_EQ(rollout.steps(), 200);
    EXPECT_EQ(rollout.starts, (std::vector<std::int64_t>{0, 200}));  // one endless episode
    inner(index, rollout);
    ++rollouts;
  };
  learner.train(*environments, hooks, run);
  freeze(folder / "frozen.safetensors", preferences, {.any = {0.0, 1.0}, .online = {2.0, 3.0}});
  return {read_file(folder / "checkpoints/latest/agent.safetensors"), read_file(folder / "metrics.jsonl"),
          read_file(folder / "frozen.safetensors"), preferences.labels(), preferences.autolabels()};
}

TEST(PreferencesOffPolicy, ResumeToTheSameBitsAutolabelsAndAll) {
  const ScratchFolder scratch;
  const auto whole = learned(scratch / "whole", 0);
  EXPECT_EQ(whole.autolabels, 2 * 15);  // two for each of the first quarter of the labels
  EXPECT_EQ(whole.labels, 60 + 30);
  learned(scratch / "cut", 1);
  const auto resumed = learned(scratch / "cut", 0);
  EXPECT_EQ(resumed.agent, whole.agent);
  EXPECT_EQ(resumed.metrics, whole.metrics);
  EXPECT_EQ(resumed.frozen, whole.frozen);
}

TEST(FrozenReward, IsWhatItWasAndNeedsItsSettings) {
  const ScratchFolder scratch;
  learned(scratch / "run", 0);
  const auto file = scratch / "run/frozen.safetensors";
  const auto environments = world(4);
  const FrozenReward frozen(file, environments->spec(), few_labels());
  EXPECT_EQ(frozen.standings().online.earned, 3.0);
  const auto seen = environments->reset(1).clone();
  const AskedSteps steps{seen, at::full({4}, 1, at::kLong), seen};
  EXPECT_EQ(frozen(steps).sizes(), (at::IntArrayRef{4}));
  EXPECT_TRUE(frozen(steps).equal(FrozenReward(file, environments->spec(), few_labels())(steps)));
  models::ActorCritic agent(environments->spec(), {});
  Collector collector(*environments, agent, 5, 1);
  const auto hooks = frozen.hooks();  // PPO is paid the same for the same steps
  const auto rollout = collector.collect(hooks.keep_states);
  const auto paid = hooks.reward(rollout);
  const auto of = [](const Tensor& each) { return each[2].narrow(0, 3, 1); };
  EXPECT_NEAR(frozen({of(rollout.observations), of(rollout.actions), of(rollout.next)}).item<float>(),
              paid[2][3].item<float>(), 1e-6);
  EXPECT_EQ(error_of([&] { FrozenReward(scratch / "none", environments->spec(), few_labels()); }).category(),
            Category::bad_data);
}

TEST(Audit, MeasuresBetweenAnyActionAndTheOnlineAgentAndForgetsWhatIsSeenAgain) {
  const ScratchFolder scratch;
  learned(scratch / "run", 0);
  const auto environments = world(1);
  const FrozenReward frozen(scratch / "run/frozen.safetensors", environments->spec(), few_labels());
  const auto left = [](const Tensor& seen) { return at::full({seen.size(0)}, 3, at::kLong); };
  const AuditConfig config{.envs = 3, .steps = 20};
  const auto now = standing_of(*world(3), left, frozen.source(), 20, derive(hash("audit"), {hash("episodes")}));
  {
    rlhf::Run run({.folder = scratch / "retrained", .quiet = true}, "", nlohmann::json::object());
    Audit audit(frozen, world(3), config, 0, run);
    audit.look(100, left);
    audit.look(200, left);
    EXPECT_NEAR(audit.result().last.earned, (now.earned - 1.0) / 2.0, 1e-12);
    EXPECT_NEAR(audit.result().last.predicted, now.predicted / 2.0, 1e-12);
    EXPECT_FALSE(audit.result().exploited);  // it is paid little
  }
  rlhf::Run run({.folder = scratch / "retrained", .resume = true, .quiet = true}, "", nlohmann::json::object());
  Audit audit(frozen, world(3), {.envs = 3, .steps = 20, .predicted_above = -1e9}, 100, run);
  audit.look(200, left);
  const auto rows = read_file(scratch / "retrained/audit.jsonl");
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 2);
  EXPECT_TRUE(audit.result().exploited);
}

}  // namespace
}  // namespace rlhf::control
