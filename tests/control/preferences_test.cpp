#include "rlhf/control/preferences.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <sstream>

#include "rlhf/core/files.h"
#include "rlhf/environments/table.h"
#include "rlhf/feedback/question.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

nlohmann::json clip_of(std::vector<double> rewards) {
  const auto steps = std::ssize(rewards);
  return data::to_json(data::Segment{.length = steps,
                                     .actions = std::vector<data::Action>(rewards.size(), std::int64_t{0}),
                                     .rewards = std::move(rewards)});
}

feedback::Question pair_of(std::vector<double> first, std::vector<double> second, const char* id = "q") {
  feedback::Question question{.id = id, .form = feedback::builtin_form("clips"), .items = {{}, {}}, .shown = {0, 1}};
  question.items[0].segment = clip_of(std::move(first));
  question.items[1].segment = clip_of(std::move(second));
  return question;
}

feedback::Comparison said(const TeacherConfig& config, const feedback::Question& question) {
  return std::get<feedback::Comparison>(make_teacher(config)->answer(question).said);
}

TEST(Teacher, PrefersTheClipThatEarnedMore) {
  EXPECT_EQ(said({}, pair_of({1, 2}, {0, 2})).best, 0);
  EXPECT_EQ(said({}, pair_of({0, 2}, {1, 2})).best, 1);
  EXPECT_TRUE(said({}, pair_of({1, 2}, {2, 1})).tie);
  EXPECT_TRUE(said({.tie_within = 0.5}, pair_of({1}, {1.4})).tie);
  EXPECT_FALSE(said({.tie_within = 0.5}, pair_of({1}, {1.6})).tie);
}

TEST(Teacher, AMyopicOneRemembersTheEnd) {
  const auto question = pair_of({3, 0, 0}, {0, 0, 2});
  EXPECT_EQ(said({}, question).best, 0);
  EXPECT_EQ(said({.discount = 0.5}, question).best, 1);  // 3 / 4 against 2
}

TEST(Teacher, SkipsWhatIsNotWorthJudging) {
  const auto answer = make_teacher({.skip_below = 1.0})->answer(pair_of({0.2}, {0.5}));
  EXPECT_TRUE(std::holds_alternative<feedback::Skip>(answer.said));
  EXPECT_EQ(said({.skip_below = 1.0}, pair_of({0.2}, {1.5})).best, 1);
}

TEST(Teacher, ErrsAsOftenAsItIsTold) {
  int wrong = 0, boltzmann = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto question = pair_of({1}, {0}, ("q" + std::to_string(i)).c_str());
    wrong += said({.error_rate = 0.2}, question).best == 1;
    boltzmann += said({.rationality = 1.0}, question).best == 1;
  }
  EXPECT_NEAR(wrong / 2000.0, 0.2, 0.03);
  EXPECT_NEAR(boltzmann / 2000.0, 0.2689, 0.03);  // 1 - sigmoid(1)
}

TEST(LabelSchedule, IsTheWorkedExampleOfThePaper) {
  const PreferenceConfig config{.labels = 700, .initial_share = 0.25, .schedule = 2e6};
  const std::int64_t expected[][2] = {{0, 175}, {1000000, 345}, {2000000, 465}, {4000000, 635}, {5000000, 700}};
  for (const auto& [steps, labels] : expected) EXPECT_NEAR(labels_by(config, steps, 5000000), labels, 1) << steps;
}

/// Comparisons of clips by the sum of the first number of each step.
std::vector<ClipComparison> comparisons(int count) {
  std::vector<ClipComparison> all;
  for (int i = 0; i < count; ++i) {
    ClipComparison one{.first = at::randn({5, 3}), .second = at::randn({5, 3})};
    one.preferred = one.first.select(1, 0).sum().item<float>() > one.second.select(1, 0).sum().item<float>() ? 1 : 0;
    all.push_back(std::move(one));
  }
  return all;
}

TEST(RewardEnsemble, FindsWhatTheTeacherLooksAt) {
  RewardEnsemble ensemble(3, {.seed = 1});
  ensemble.add(comparisons(300));
  const auto fit = ensemble.fit(400);
  EXPECT_GT(fit.heldout_accuracy, 0.85);
  EXPECT_GT(ensemble.accuracy(comparisons(300)), 0.88);
  auto steps = at::randn({1000, 3});
  const auto rewards = ensemble.rewards(steps);
  EXPECT_NEAR(rewards.mean().item<float>(), 0, 0.2);
  EXPECT_NEAR(rewards.std().item<float>(), 1, 0.25);
  // Each member counts about 1/e of the comparisons never.
  EXPECT_GT(fit.heldout_loss, fit.loss);
}

/// The looks are counted over all fits: those after a rollout are short.
TEST(RewardEnsemble, MovesItsRegularisationHoweverShortTheFits) {
  RewardEnsemble ensemble(3, {.members = 1, .noise = 0.0, .seed = 1});
  ensemble.add(comparisons(40));
  ensemble.fit(12);
  EXPECT_EQ(ensemble.fit(12).l2, 1e-4);  // 24 updates
  EnsembleFit fit;
  for (int i = 0; i < 30; ++i) fit = ensemble.fit(12);
  EXPECT_GT(fit.heldout_loss, 1.5 * fit.loss);
  EXPECT_GT(fit.l2, 1.1e-4);
}

TEST(RewardEnsemble, IsFittedToWhatClipsEarnedWhereThatIsKnown) {
  RewardEnsemble ensemble(3, {.fit_to = FitTo::returns, .centred = false, .seed = 1});
  auto pairs = comparisons(300);
  for (auto& pair : pairs) pair.preferred = 0.5;  // nothing is to be learnt from these
  EXPECT_EQ(error_of([&] {
              ensemble.add(pairs);
              ensemble.fit(1);
            }).category(),
            Category::usage);
  for (auto& pair : pairs)
    pair.returns = {{pair.first.select(1, 0).sum().item<double>(), pair.second.select(1, 0).sum().item<double>()}};
  RewardEnsemble knowing(3, {.fit_to = FitTo::returns, .centred = false, .seed = 1});
  knowing.add(pairs);
  knowing.fit(600);
  const auto steps = at::randn({500, 3});
  const auto truth = steps.select(1, 0), rewards = knowing.rewards(steps);
  const auto correlation = ((rewards - rewards.mean()) * (truth - truth.mean())).mean() / (rewards.std() * truth.std());
  EXPECT_GT(correlation.item<double>(), 0.95);
}

TEST(RewardEnsemble, DisagreesMostWhereItKnowsLeast) {
  RewardEnsemble ensemble(3, {.adapt_l2 = false, .seed = 1});
  ensemble.add(comparisons(100));
  ensemble.fit(300);
  std::vector<ClipComparison> near = comparisons(200), far = comparisons(200);
  for (auto& pair : far) {
    pair.first = pair.first * 8;
    pair.second = pair.second * 8;
    pair.first.select(1, 0).zero_();  // nothing of what was asked about tells these apart
    pair.second.select(1, 0).zero_();
  }
  const auto disagreement = [&](const std::vector<ClipComparison>& pairs) {
    return ensemble.probabilities(pairs).var(0, false).mean().item<double>();
  };
  EXPECT_GT(disagreement(far), 2 * disagreement(near));
}

TEST(RewardEnsemble, GoesOnFromASavedStateToTheSameBits) {
  const auto first = comparisons(60), second = comparisons(20);
  RewardEnsemble one(3, {.seed = 1}), other(3, {.seed = 1});
  one.add(first);
  one.fit(50);
  State state;
  one.save(state, "reward");
  other.add(first);
  other.restore(state, "reward");
  for (auto* each : {&one, &other}) {
    each->add(second);
    each->fit(30);
  }
  const auto steps = at::randn({20, 3});
  EXPECT_TRUE(one.rewards(steps).equal(other.rewards(steps)));
}

/// Comparisons of clips of pictures by how far right something white is.
std::vector<ClipComparison> picture_comparisons(int count) {
  const auto drawn = [](std::int64_t columns) {
    auto pictures = at::zeros({3, 1, 44, 44}, at::kByte);
    for (std::int64_t t = 0; t < 3; ++t) pictures[t][0].narrow(0, 18 + t, 6).narrow(1, columns, 6).fill_(255);
    return pictures;
  };
  std::vector<ClipComparison> all;
  for (int i = 0; i < count; ++i) {
    const std::int64_t first = i * 7 % 38, second = (i * 11 + 5) % 38;
    const double preferred = first == second ? 0.5 : first > second ? 1.0 : 0.0;
    all.push_back({.first = drawn(first), .second = drawn(second), .preferred = preferred});
  }
  return all;
}

const RewardEnsembleConfig convolutions{.members = 2,
                                        .network = {.architecture = models::Architecture::narrow},
                                        .minibatch = 8,
                                        .deviation = 0.05,
                                        .dropout = 0.2,
                                        .measured = 20,
                                        .seed = 1};

TEST(RewardEnsemble, OrdersPicturesAndPaysInTheirOrder) {
  auto config = convolutions;
  config.measured = 0;  // all that were held out
  RewardEnsemble ensemble({1, 44, 44}, config);
  ensemble.add(picture_comparisons(80));
  const auto before = ensemble.accuracy(picture_comparisons(80));
  const auto fit = ensemble.fit(150);
  EXPECT_LT(before, 0.8);
  EXPECT_GT(fit.heldout_accuracy, 0.9);
  EXPECT_GT(ensemble.accuracy(picture_comparisons(80)), 0.9);
  const auto clips = picture_comparisons(80);
  std::vector<Tensor> steps;
  for (const auto& clip : clips) steps.push_back(clip.first);
  const auto rewards = ensemble.rewards(at::cat(steps));  // more than are read at once
  EXPECT_NEAR(rewards.std().item<float>(), 0.05, 0.02);
  EXPECT_TRUE(rewards.narrow(0, 150, 90).allclose(ensemble.rewards(at::cat(steps).narrow(0, 150, 90)), 1e-4, 1e-6));
  // Of what is 37 columns further right, each step is worth more, by more than the deviation of all.
  const auto left = ensemble.rewards(clips[0].first), right = ensemble.rewards(clips[27].first);  // columns 0 and 37
  EXPECT_GT((right - left).min().item<float>(), 0.05);
}

struct Outcome {
  std::string agent, metrics, returns;
  double accuracy;
  std::int64_t labels;
};

Outcome learned(const std::filesystem::path& folder, std::int64_t stop_after) {
  const auto table = environments::builtin_environments();
  const PpoConfig ppo{.total_steps = 256 * 8, .envs = 4, .steps = 64, .minibatch = 128, .seed = 1};
  const auto environments = environments::make_vector(table, "pendulum", {{"task", "spin"}}, {.count = 4});
  models::ActorCritic agent(environments->spec(), {});
  std::int64_t rollouts = 0;
  Run run({.folder = folder,
           .resume = true,
           .stop_requested = [&] { return stop_after > 0 && rollouts >= stop_after; },
           .quiet = true},
          "", nlohmann::json::object());
  Preferences preferences(environments::make_environment(table, "pendulum", {{"task", "spin"}}), environments->spec(),
                          {.labels = 60, .schedule = 1000, .clip_steps = 10, .first_updates = 60, .seed = 4},
                          ppo.total_steps, run);
  preferences.begin(*environments::make_vector(table, "pendulum", {{"task", "spin"}}, {.count = 4}), agent, ppo);
  auto hooks = preferences.hooks();
  hooks.after = [&, inner = hooks.after](std::int64_t index, const Rollout& rollout) {
    inner(index, rollout);
    ++rollouts;
  };
  train(agent, *environments, ppo, hooks, run);
  return {read_file(folder / "checkpoints/latest/agent.safetensors"), read_file(folder / "metrics.jsonl"),
          read_file(folder / "returns.jsonl"), preferences.test_accuracy(), preferences.labels()};
}

TEST(Preferences, LearnATasteFromTheStoreAndResumeToTheSameBits) {
  const ScratchFolder scratch;
  const auto whole = learned(scratch.path() / "whole", 0);
  EXPECT_EQ(whole.labels, 60);
  EXPECT_GT(whole.accuracy, 0.85);
  learned(scratch.path() / "cut", 3);
  const auto resumed = learned(scratch.path() / "cut", 0);
  EXPECT_EQ(resumed.agent, whole.agent);
  EXPECT_EQ(resumed.metrics, whole.metrics);
  EXPECT_EQ(resumed.returns, whole.returns);
  EXPECT_EQ(resumed.labels, whole.labels);
  EXPECT_NE(whole.metrics.find("\"preferences/scheduled\":60.0"), std::string::npos);
}

/// Two environments whose episodes last 50 steps, in rollouts of 40: sums go on from rollout to rollout.
TEST(Preferences, AddUpWhatWasPaidAndWhatWasEarnedByEpisode) {
  const ScratchFolder scratch;
  const auto table = environments::builtin_environments();
  const nlohmann::json settings{{"max_steps", 50}};
  const PpoConfig ppo{.total_steps = 80 * 5, .envs = 2, .steps = 40, .minibatch = 80, .seed = 1};
  const auto environments = environments::make_vector(table, "cart_pole_fixed", settings, {.count = 2});
  models::ActorCritic agent(environments->spec(), {});
  rlhf::Run run({.folder = scratch / "run", .quiet = true}, "", nlohmann::json::object());
  Preferences preferences(environments::make_environment(table, "cart_pole_fixed", settings), environments->spec(),
                          {.labels = 20, .schedule = 1000, .clip_steps = 10, .first_updates = 20, .seed = 4},
                          ppo.total_steps, run);
  preferences.begin(*environments::make_vector(table, "cart_pole_fixed", settings, {.count = 2}), agent, ppo);
  double paid[2] = {0, 0}, earned[2] = {0, 0};  // of each environment's first episode
  std::int64_t seen = 0;
  auto hooks = preferences.hooks();
  hooks.reward = [&, inner = hooks.reward](const Rollout& rollout) {
    const auto truth = rollout.rewards.clone(), predicted = inner(rollout);
    for (std::int64_t t = 0; t < 40 && seen + t < 50; ++t)
      for (int env = 0; env < 2; ++env) {
        paid[env] += predicted[env][t].item<double>();
        earned[env] += truth[env][t].item<double>();
      }
    seen += 40;
    return predicted;
  };
  train(agent, *environments, ppo, hooks, run);
  std::vector<nlohmann::json> rows;
  std::istringstream lines(read_file(scratch / "run/returns.jsonl"));
  for (std::string line; std::getline(lines, line);) rows.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(rows.size(), 8u);  // 200 steps of each, the last episode too
  for (int env = 0; env < 2; ++env) {
    EXPECT_EQ(rows[std::size_t(env)].at("env"), env);
    EXPECT_EQ(rows[std::size_t(env)].at("step"), 1);
    EXPECT_NEAR(rows[std::size_t(env)].at("predicted").get<double>(), paid[env], 1e-9);
    EXPECT_NEAR(rows[std::size_t(env)].at("earned").get<double>(), earned[env], 1e-9);
  }
  for (const auto& row : rows) EXPECT_EQ(row.at("length"), 50);
  EXPECT_EQ(preferences.test_clips().size(), 2 * preferences.test_margins().size());
  for (std::size_t i = 0; i < preferences.test_margins().size(); ++i)
    EXPECT_NEAR(preferences.test_margins()[i].earned,
                preferences.test_clips()[2 * i].earned - preferences.test_clips()[2 * i + 1].earned, 1e-9);
}

/// Four pictures of two channels seen together, as Atari's are.
TEST(RewardInputs, OfAStackOfPicturesEachIsKeptOnce) {
  const environments::Spec spec{
      .name = "pictures",
      .observation =
          environments::Box{
              .dtype = environments::Dtype::uint8, .shape = {8, 5, 6}, .low = {0}, .high = {255}, .stack = 4},
      .action = environments::Discrete{{"a", "b"}}};
  const auto film = at::randint(0, 256, {4 + 9, 2, 5, 6}, at::kByte);
  std::vector<Tensor> seen;
  for (std::int64_t t = 0; t < 10; ++t) seen.push_back(film.narrow(0, t, 4).flatten(0, 1));
  const auto stacks = at::stack(seen);  // [10, 8, 5, 6]
  const RewardInputs inputs(spec, /*actions=*/false, /*outcomes=*/false, /*pictures=*/true);
  EXPECT_EQ(inputs.shape(), (std::vector<std::int64_t>{8, 5, 6}));
  const auto kept = inputs.of_clip(stacks, at::zeros({10}, at::kLong), Tensor());
  EXPECT_TRUE(kept.equal(stacks));
  EXPECT_EQ(kept.storage().nbytes(), static_cast<std::size_t>(film.numel()));
  EXPECT_TRUE(at::cat({kept, kept}).equal(at::cat({stacks, stacks})));
  PreferenceConfig config{.reward = {.network = {.architecture = models::Architecture::nature}}};
  EXPECT_THROW(RewardInputs(spec, config), Error);  // convolutions do not read actions
  config.actions = false;
  EXPECT_EQ(RewardInputs(spec, config).shape(), inputs.shape());
}

/// An agent and a reward model that see two pictures of the pole and nothing else.
std::string learned_from_pictures(const std::filesystem::path& folder, bool cut_off) {
  const auto table = environments::builtin_environments();
  const nlohmann::json settings{{"max_steps", 40}, {"wrappers", {"grey_picture 44 44", "frame_stack 2"}}};
  const PpoConfig ppo{.total_steps = 80 * 3, .envs = 2, .steps = 40, .epochs = 1, .minibatch = 80, .seed = 1};
  const auto environments = environments::make_vector(table, "cart_pole_fixed", settings, {.count = 2});
  models::ActorCritic agent(environments->spec(), {.network = {.architecture = models::Architecture::nature}});
  bool begun = false;
  Run run({.folder = folder, .resume = true, .stop_requested = [&] { return cut_off && begun; }, .quiet = true}, "",
          nlohmann::json::object());
  PreferenceConfig config{.labels = 24, .schedule = 100, .clip_steps = 5, .clips = 20, .rollout_clips = 4};
  config.actions = false;
  config.first_updates = 20;
  config.rollout_updates = 2;
  config.reward = convolutions;
  Preferences preferences(environments::make_environment(table, "cart_pole_fixed", settings), environments->spec(),
                          config, ppo.total_steps, run);
  preferences.begin(*environments::make_vector(table, "cart_pole_fixed", settings, {.count = 2}), agent, ppo);
  begun = true;
  train(agent, *environments, ppo, preferences.hooks(), run);
  return read_file(folder / "checkpoints/latest/agent.safetensors") + read_file(folder / "metrics.jsonl");
}

TEST(Preferences, LearnFromPicturesAndResumeToTheSameBits) {
  const ScratchFolder scratch;
  const auto whole = learned_from_pictures(scratch / "whole", false);
  EXPECT_NE(whole.find("\"preferences/labels\":24.0"), std::string::npos);
  learned_from_pictures(scratch / "cut", true);
  EXPECT_TRUE(learned_from_pictures(scratch / "cut", false) == whole);  // megabytes, nobody wants to read them
}

TEST(Preferences, AClipPlayedAgainIsWhatTheAgentSaw) {
  const auto environments =
      environments::make_vector(environments::builtin_environments(), "cart_pole_fixed", nullptr, {.count = 3});
  const auto replayer = environments::make_environment(environments::builtin_environments(), "cart_pole_fixed");
  models::ActorCritic agent(environments->spec(), {});
  Collector collector(*environments, agent, 40, 1);
  const auto rollout = collector.collect(true);
  const auto segment = cut(environments->spec(), rollout, 2, 11, 9, 0);
  const RewardInputs inputs(environments->spec(), true);
  const auto again = inputs.of(*replayer, segment);
  EXPECT_EQ(again.sizes(), (at::IntArrayRef{9, 7}));
  const auto steps = [](const Tensor& of) { return of[2].narrow(0, 11, 9); };
  const auto seen = steps(rollout.observations), done = steps(rollout.actions), next = steps(rollout.next);
  EXPECT_TRUE(again.equal(inputs(seen, done, next)));
  const RewardInputs outcomes(environments->spec(), false, /*outcomes=*/true);
  EXPECT_TRUE(outcomes.of(*replayer, segment).equal(outcomes(seen, done, next)));
  EXPECT_TRUE(seen.narrow(0, 1, 8).equal(next.narrow(0, 0, 8)));
  const auto other =
      environments::make_environment(environments::builtin_environments(), "cart_pole_fixed", {{"max_steps", 50}});
  EXPECT_THROW(inputs.of(*other, segment), Error);
}

}  // namespace
}  // namespace rlhf::control
