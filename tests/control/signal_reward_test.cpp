#include "rlhf/control/signal_reward.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "rlhf/algorithms/scripted_trainer.h"
#include "rlhf/algorithms/tamer.h"
#include "rlhf/control/jobs.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/cart_pole.h"
#include "rlhf/environments/pendulum.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/vector.h"
#include "tests/control/run_until.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

algorithms::LiveStep step_at(double begin) {
  return {.observation = std::vector<float>{0, 0, 0, 0}, .action = std::int64_t{1}, .begin = begin, .end = begin + 0.1};
}

TEST(SignalSteps, ASignalLabelsTheStepsInItsWindow) {
  SignalSteps said({.credit_low = 0.1, .credit_high = 0.3});
  for (int i = 0; i < 5; ++i) said.observe(step_at(0.1 * i));
  said.signal({.id = 7, .value = -1, .time = 0.45});  // about 0.15 to 0.35 s: steps 1 (half of it), 2, 3 (half)
  ASSERT_EQ(said.labels().size(), 3U);
  double sum = 0;
  for (const auto& label : said.labels()) {
    EXPECT_EQ(label.signal, 7);
    EXPECT_EQ(label.value, -1);
    EXPECT_NEAR(label.weight, label.step == 2 ? 0.5 : 0.25, 1e-9);
    sum += label.weight;
  }
  EXPECT_NEAR(sum, 1, 1e-9);
  said.interrupt();
  said.observe(step_at(0.5));
  said.signal({.id = 8, .value = 1, .time = 0.65});
  EXPECT_EQ(said.labels().size(), 4U) << "nothing reaches over a pause";
  EXPECT_TRUE(said.undo(7));
  EXPECT_FALSE(said.undo(7));
  EXPECT_EQ(said.labels().size(), 1U);
}

/// The log of a session in which somebody taught TAMER to balance the pole.
std::filesystem::path lesson(const ScratchFolder& folder) {
  environments::CartPole world;
  algorithms::VirtualClock clock;
  algorithms::ScriptedTrainer trainer(clock, std::make_unique<environments::CartPole>(),
                                      algorithms::expert_opinion(world.spec()), 3, {.comments = 0.4, .spread = 0.02});
  const auto tamer = algorithms::make_tamer(world.spec(), {.credit_high = 0.8}, {}, nullptr);
  run_session(world, *tamer, trainer, clock, {.rate = 5, .seconds = 400, .seed = 4}, folder / "log.jsonl");
  return folder / "log.jsonl";
}

TEST(SignalReward, ASessionsLogPaysAnAgentThatLearnsToBalance) {
  const ScratchFolder folder;
  const auto log = lesson(folder);
  environments::CartPole world;
  const SignalRewardConfig config{.credit_low = 0.1, .credit_high = 0.3};  // this trainer reacts within 0.4 s
  SignalSteps said(config);
  const auto result = relearn_session(world, said, log);
  SignalReward reward(world.spec(), config);
  const auto fit = reward.fit(said);
  EXPECT_GT(result.signals, 300);
  EXPECT_EQ(fit.signals, result.signals);
  EXPECT_GT(fit.heldout, 10);
  EXPECT_GT(fit.heldout_accuracy, 0.75);
  EXPECT_LT(fit.heldout_loss, 0.8);

  reward.write(folder / "reward");
  const SignalReward again(folder / "reward", world.spec());
  const auto seen = at::tensor({0.1F, 0.2F, 0.05F, 0.3F, -0.1F, -0.2F, -0.05F, -0.3F}).view({2, 4});
  const auto right = at::tensor({1L, 0L}), wrong = at::tensor({0L, 1L});  // towards where the pole falls
  EXPECT_TRUE(at::equal(again(seen, right), reward(seen, right)));
  EXPECT_TRUE((reward(seen, right) > reward(seen, wrong)).all().item<bool>());

  const auto job = make_ppo_job(environments::builtin_environments());
  Fields fields;
  job->fields(fields);
  from_json(fields,
            {{"environment", "cart_pole"},
             {"wrappers", {"hide_reward"}},  // nobody but the model pays
             {"reward_model", (folder / "reward").string()},
             {"total_steps", 60000},
             {"evaluate", 0}},
            "settings");
  auto run = run_until(folder / "run", [] { return false; });
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);  // matrices this small are done before a second thread wakes up
  job->run(run);
  at::set_num_threads(threads);
  const auto rows = read_file(folder / "run" / "metrics.jsonl");
  const auto last = nlohmann::json::parse(rows.substr(rows.rfind('\n', rows.size() - 2) + 1));
  const auto earned = last.at("rollout/ep_rew_mean").get<double>();  // by the environment, whatever the agent was paid
  EXPECT_GT(earned, 100) << "any actions earn 20";
}

TEST(SignalReward, WhatDoesNotFitIsRefused) {
  const ScratchFolder folder;
  environments::CartPole world;
  SignalReward reward(world.spec(), {});
  const auto silent = error_of([&] { reward.fit(SignalSteps({})); });
  EXPECT_EQ(silent.category(), Category::usage);
  EXPECT_EQ(error_of([&] { SignalReward(folder / "none", world.spec()); }).category(), Category::bad_data);
  reward.write(folder / "reward");
  const auto other = error_of([&] { SignalReward(folder / "reward", environments::Pendulum().spec()); });
  EXPECT_EQ(other.category(), Category::usage);
  EXPECT_NE(other.problem().find("cart_pole"), std::string::npos);
  EXPECT_EQ(error_of([&] { SignalReward(world.spec(), {.credit_low = 1, .credit_high = 0.5}); }).where(),
            "credit_high");
}

}  // namespace
}  // namespace rlhf::control
