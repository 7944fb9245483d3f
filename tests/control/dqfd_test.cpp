#include "rlhf/control/dqfd.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "rlhf/control/jobs.h"
#include "rlhf/core/files.h"
#include "rlhf/data/trajectory_file.h"
#include "rlhf/environments/key_treasure.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/table.h"
#include "tests/control/reference_numbers.h"
#include "tests/control/run_until.h"
#include "tests/control/small_world.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

/// Numbers of tests/reference/control/make_dqfd.py.
TEST(Dqfd, TwoUpdatesAreThoseOfAnIndependentScript) {
  const auto r = reference("dqfd.json");
  DqfdConfig config;
  config.network = tiny_relu;
  config.margin = r.at("margin");
  config.margin_weight = r.at("margin_weight");
  config.l2 = r.at("l2");
  config.adam.max_grad_norm = r.at("max_grad_norm");
  ASSERT_EQ(config.adam.epsilon, r.at("epsilon").get<double>());
  const auto spec = small_spec(environments::Discrete{{"a", "b", "c"}});
  const QNetwork online(spec, config, 0), target(spec, config, 1);
  set(online.weights(), r.at("before"));
  set(target.weights(), r.at("target"));
  const auto& b = r.at("batch");
  const auto rows = [&](const char* name) { return numbers(b.at(name)).view({-1, 3}); };
  const Transitions batch{.observations = rows("observations"),
                          .actions = numbers(b.at("actions")).to(at::kLong),
                          .rewards = numbers(b.at("rewards")),
                          .next_observations = rows("next_observations"),
                          .discounts = numbers(b.at("discounts")),
                          .weights = numbers(b.at("weights")),
                          .places = {},
                          .demonstrated = numbers(b.at("demonstrated")),
                          .first = {.rewards = numbers(b.at("first_rewards")),
                                    .next_observations = rows("first_next_observations"),
                                    .discounts = numbers(b.at("first_discounts"))}};
  algorithms::AdamW optimizer(online.weights(), config.adam);
  for (const double expected : r.at("losses")) {
    const auto result = dqfd_loss(online, target, batch, config);
    EXPECT_NEAR(result.loss.item<double>(), expected, 1e-5);
    optimizer.zero_grad();
    result.loss.backward();
    optimizer.step(r.at("learning_rate"));
  }
  for (const auto& [name, weight] : online.weights())
    EXPECT_LE((weight.detach().flatten() - numbers(r.at("after").at(name))).abs().max().item<float>(), 1e-5F) << name;
}

constexpr environments::KeyTreasureConfig endless{.continuing = true};

std::vector<data::Trajectory> shown(int count) {
  std::vector<data::Trajectory> all;
  for (int i = 0; i < count; ++i) all.push_back(environments::demonstrate(endless, static_cast<std::uint64_t>(i), 0.1));
  return all;
}

DqfdConfig quick() {
  DqfdConfig config;
  config.total_steps = 900;
  config.learning_rate = 1e-3;
  config.target_every = 100;
  config.replay.capacity = 500;
  config.report_every = 200;
  return config;
}

std::unique_ptr<environments::VectorEnvironment> world() {
  return environments::make_vector(environments::builtin_environments(), "key_treasure", {{"continuing", true}}, {});
}

TEST(Dqfd, ImitatesWhatItIsShown) {
  auto config = quick();
  config.td_weight = 0;
  const auto demonstrations = shown(4);
  DqfdLearner learner(world()->spec(), config);
  learner.pretrain(demonstrations, {}, 1500, 0);
  std::int64_t same = 0, all = 0;
  for (const auto& one : demonstrations) {
    const auto seen = environments::stacked(world()->spec(), one.observations),
               done = environments::stacked(one.actions);
    const auto best = learner.network().values(seen).argmax(1).narrow(0, 0, done.size(0));
    same += (best == done).sum().item<std::int64_t>();
    all += done.size(0);
  }
  EXPECT_GT(double(same) / double(all), 0.85);  // a tenth of what was shown was any action
}

std::string trained(const std::filesystem::path& folder, std::int64_t stop_after) {
  const auto config = quick();
  const auto environment = world();
  const auto demonstrations = shown(3);
  std::int64_t steps = 0, version = 0;
  auto run = run_until(folder, [&] { return stop_after > 0 && steps >= stop_after; });
  DqfdLearner learner(environment->spec(), config);
  const auto brightness = [&](const AskedSteps& asked) {
    return asked.next_observations.flatten(1).to(at::kFloat).mean(1) * double(version + 1);
  };
  OffPolicyHooks hooks{.reward = {.reward = brightness, .version = [&] { return version; }},
                       .after = [&](std::int64_t) { ++steps; },
                       .demonstrations = demonstrations,
                       .rollout_steps = 150,
                       .rolled_out = [&](std::int64_t, const Rollout&) { ++version; },
                       .save = [&](State& state) { state.values["version"] = version; },
                       .restore = [&](const State& state) { version = state.values.at("version"); }};
  if (!run.restored()) learner.pretrain(demonstrations, hooks.reward, 50, 0);
  learner.train(*environment, hooks, run);
  return read_file(folder / "checkpoints/latest/agent.safetensors");
}

TEST(Dqfd, ResumesToTheSameBitsDemonstrationsAndAnswersIncluded) {
  const ScratchFolder scratch;
  const auto expected = trained(scratch / "whole", 0);
  trained(scratch / "cut", 301);
  EXPECT_EQ(trained(scratch / "cut", 0), expected);
  EXPECT_EQ(read_file(scratch / "cut/metrics.jsonl"), read_file(scratch / "whole/metrics.jsonl"));
}

TEST(Dqfd, RefusesWhatWasSeenThroughOtherEyes) {
  Replay replay(world()->spec(), 1, {.capacity = 10});
  const std::vector other = {environments::demonstrate({}, 1, 0)};
  EXPECT_EQ(error_of([&] { replay.keep(other); }).category(), Category::check);
}

/// The job, from a file of episodes, stopped at the `stop`th look (0 = never).
std::filesystem::path dqfd_job(const std::filesystem::path& folder, const std::filesystem::path& shown, int stop) {
  const auto job = make_dqfd_job(environments::builtin_environments());
  Fields fields;
  job->fields(fields);
  from_json(fields,
            {{"environment", "mountain_car"},
             {"demonstrations", shown.string()},
             {"total_steps", 3000},
             {"pretrain_updates", 300},
             {"report_every", 500},
             {"evaluate", 3}},
            "settings");
  int looked = 0;
  auto run = run_until(folder, [&] { return stop > 0 && ++looked >= stop; });
  job->run(run);
  return folder;
}

TEST(Dqfd, JobLearnsFromAFileOfEpisodesAndResumesToTheSameBits) {
  const ScratchFolder scratch;
  const auto alone = environments::make_environment(environments::builtin_environments(), "mountain_car", nullptr);
  const auto expert = environments::scripted_agent(alone->spec());
  data::write_trajectories(scratch / "shown.jsonl", std::vector{environments::roll_out(*alone, expert, 1, {}),
                                                               environments::roll_out(*alone, expert, 2, {})});
  const auto whole = dqfd_job(scratch / "whole", scratch / "shown.jsonl", 0);
  dqfd_job(scratch / "cut", scratch / "shown.jsonl", 1500);
  EXPECT_FALSE(std::filesystem::exists(scratch / "cut/results.json"));
  dqfd_job(scratch / "cut", scratch / "shown.jsonl", 0);
  for (const char* file : {"metrics.jsonl", "results.json", "checkpoints/latest/agent.safetensors"})
    EXPECT_EQ(read_file(scratch / "cut" / file), read_file(whole / file)) << file;
}

}  // namespace
}  // namespace rlhf::control
