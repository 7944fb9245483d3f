#include "rlhf/control/jobs.h"

#include <gtest/gtest.h>

#include <sstream>

#include "rlhf/core/files.h"
#include "tests/control/run_until.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

using Made = std::unique_ptr<algorithms::Job> (*)(environments::EnvironmentTable);

/// Trains as the settings say, in a run that is asked to stop at the `stop`th time it looks (0 = never).
std::filesystem::path trained(const std::filesystem::path& folder, Made make, const nlohmann::json& settings,
                              int stop) {
  const auto job = make(environments::builtin_environments());
  Fields fields;
  job->fields(fields);
  from_json(fields, settings, "settings");
  int looked = 0;
  auto run = run_until(folder, [&] { return stop > 0 && ++looked >= stop; });
  job->run(run);
  return folder;
}

void expect_same_bits(const std::filesystem::path& one, const std::filesystem::path& other) {
  for (const char* file : {"metrics.jsonl", "results.json", "checkpoints/latest/agent.safetensors"})
    EXPECT_EQ(read_file(one / file), read_file(other / file)) << file;
}

TEST(ControlJobs, NormalisedRunsResumeToTheSameBitsAndKeepTheirStatistics) {
  const ScratchFolder scratch;
  const nlohmann::json settings = {{"environment", "pendulum"},
                                   {"normalization", {{"observations", true}, {"rewards", true}, {"gamma", 0.9}}},
                                   {"total_steps", 4 * 64 * 6},
                                   {"steps", 64},
                                   {"evaluate", 4}};
  const auto whole = trained(scratch / "whole", make_ppo_job, settings, 0);
  trained(scratch / "cut", make_ppo_job, settings, 3);
  EXPECT_FALSE(std::filesystem::exists(scratch / "cut" / "results.json"));
  expect_same_bits(trained(scratch / "cut", make_ppo_job, settings, 0), whole);
  EXPECT_EQ(read_file(scratch / "cut" / "normalization.json"), read_file(whole / "normalization.json"));
  // What was earned is reported, not what the learner saw: a pendulum's 200 steps cost hundreds.
  const auto last = nlohmann::json::parse(read_file(whole / "results.json"));
  EXPECT_LT(last.at("mean_return").get<double>(), -300);
  const auto text = read_file(whole / "metrics.jsonl");
  const auto row = nlohmann::json::parse(text.substr(text.rfind('\n', text.size() - 2) + 1));
  EXPECT_LT(row.at("rollout/ep_rew_mean").get<double>(), -300);
}

TEST(ControlJobs, AgentsWithAReplayBufferRefuseMovingStatistics) {
  const ScratchFolder scratch;
  for (const auto& [make, environment] :
       {std::pair<Made, const char*>{make_dqn_job, "cart_pole"}, {make_sac_job, "pendulum"}}) {
    const auto error = error_of([&, make = make, environment = environment] {
      trained(scratch / environment, make,
              {{"environment", environment}, {"normalization", {{"observations", true}}}, {"total_steps", 10}}, 0);
    });
    EXPECT_EQ(error.category(), Category::usage);
    EXPECT_EQ(error.where(), "normalization");
  }
}

TEST(ControlJobs, WrappedRunsResumeToTheSameBits) {
  const ScratchFolder scratch;
  const nlohmann::json settings = {
      {"environment", "cart_pole"},
      {"wrappers", {"sticky_actions 0.25", "frame_stack 2", "fixed_horizon 60", "hide_reward"}},
      {"total_steps", 900},
      {"start", 100},
      {"report_every", 100},
      {"checkpoint_every", 300},
      {"network", {{"hidden", {16}}}},
      {"evaluate", 2}};
  const auto whole = trained(scratch / "whole", make_dqn_job, settings, 0);
  trained(scratch / "cut", make_dqn_job, settings, 400);
  expect_same_bits(trained(scratch / "cut", make_dqn_job, settings, 0), whole);
  // The learner was paid nothing; a step of a pole is still worth 1.
  EXPECT_EQ(nlohmann::json::parse(read_file(whole / "results.json")).at("mean_return").get<double>(), 60);
}

TEST(ControlJobs, ExaminesWithSettingsOfItsOwnAndExploresLessAndLess) {
  const ScratchFolder scratch;
  nlohmann::json settings = {{"environment", "cart_pole_fixed"},
                             {"settings", R"({"max_steps": 50})"},
                             {"evaluation", R"({"max_steps": 7})"},
                             {"total_steps", 1000},
                             {"start", 900},
                             {"report_every", 250},
                             {"epsilon_end", 0.2},
                             {"epsilon_share", 0.5},
                             {"network", {{"hidden", {16}}}},
                             {"evaluate", 2}};
  const auto folder = trained(scratch / "run", make_dqn_job, settings, 0);
  EXPECT_EQ(nlohmann::json::parse(read_file(folder / "results.json")).at("mean_return").get<double>(), 7);
  std::istringstream rows(read_file(folder / "metrics.jsonl"));
  std::vector<double> shares;
  for (std::string line; std::getline(rows, line);) {
    const auto row = nlohmann::json::parse(line);
    EXPECT_EQ(row.at("rollout/ep_len_mean").get<double>(), 50);
    shares.push_back(row.at("rollout/exploration_rate").get<double>());
  }
  ASSERT_EQ(shares.size(), 4U);
  EXPECT_NEAR(shares[0], 0.6, 0.01);
  for (int i = 1; i < 4; ++i) EXPECT_NEAR(shares[i], 0.2, 0.01);

  settings["evaluation"] = "max_steps: 7";
  EXPECT_EQ(error_of([&] { trained(scratch / "wrong", make_dqn_job, settings, 0); }).where(), "evaluation");
}

}  // namespace
}  // namespace rlhf::control
