// Who answers which questions about clips: people, who pass questions over and change their minds, and several runs
// that share one store.
#include <gtest/gtest.h>

#include "rlhf/control/preferences.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/rollout.h"
#include "rlhf/environments/table.h"
#include "rlhf/feedback/question.h"
#include "rlhf/feedback/store_folder.h"
#include "tests/control/run_until.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

using feedback::Comparison;
using feedback::Skip;

const feedback::Annotator ann{"ann", feedback::Source::human}, bob{"bob", feedback::Source::human};
const nlohmann::json settings{{"max_steps", 50}};

std::unique_ptr<environments::VectorEnvironment> poles() {
  return environments::make_vector(environments::builtin_environments(), "cart_pole_fixed", settings, {.count = 2});
}

std::unique_ptr<environments::Environment> one_pole() {
  return environments::make_environment(environments::builtin_environments(), "cart_pole_fixed", settings);
}

PreferenceConfig few_labels() {
  PreferenceConfig config{.labels = 8, .schedule = 100, .clip_steps = 10, .clips = 24, .rollout_clips = 8};
  config.first_updates = 20;
  config.rollout_updates = 4;
  config.reward.members = 1;
  config.selection = Selection::random;
  config.seed = config.reward.seed = config.teacher.seed = 4;
  return config;
}

/// What a run has to do with clips, up to the answers; the policy stays what it was.
struct Asking {
  PreferenceConfig config;
  Run run;
  feedback::Store store;
  std::unique_ptr<environments::Environment> replayer = one_pole();
  environments::Spec spec = replayer->spec();
  RewardInputs inputs;
  RewardEnsemble reward;
  ClipPool pool;
  ClipQuestions questions;
  ClipAnswers answers;

  Asking(const std::filesystem::path& folder, const PreferenceConfig& given)
      : config(given),
        run(run_until(folder, [] { return false; })),
        store(feedback::Store::open(config.store.empty() ? (folder / "feedback.db").string() : config.store)),
        inputs(spec, config),
        reward(inputs.shape(), config.reward),
        pool(spec, inputs, config),
        questions(store, *replayer, spec, config, folder.filename().string()),
        answers(store, questions, *replayer, inputs, config, run) {
    const auto environments = poles();
    const models::ActorCritic agent(spec, {});
    const auto rollout = Collector(*environments, agent, 100, config.seed).collect(/*keep_states=*/true);
    pool.keep(rollout, before_training, config.clips);
  }

  void ask(std::int64_t count, std::int64_t version = before_training) { questions.ask(pool, reward, count, version); }
  /// What `who` says to the next question; its sequence number.
  std::int64_t say(const feedback::Annotator& who, const feedback::Answer& answer) {
    return store.answer(store.lease(who, std::chrono::seconds(60)).value(), answer);
  }
};

PreferenceConfig for_people() {
  auto config = few_labels();
  config.people = true;
  return config;
}

TEST(ClipAnswers, ArePassedOverAndOthersAskedInTheirPlace) {
  const ScratchFolder scratch;
  Asking asking(scratch / "run", for_people());
  asking.ask(2);
  asking.say(ann, Skip{});
  asking.say(ann, Comparison{.incomparable = true});
  asking.answers.begin([&] {
    asking.ask(1);
    asking.say(ann, Comparison{.best = 1});
  });
  EXPECT_EQ(asking.questions.asked(), 4);
  EXPECT_EQ(asking.answers.passed_over(), 2);
  const auto taken = asking.answers.take(before_training);
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].preferred, 0.0);
  EXPECT_EQ(asking.answers.take(0).size(), 0u);

  // Bob can tell what Ann could not: a label, and no longer a question that was asked in vain.
  asking.say(bob, Comparison{.best = 0});
  EXPECT_EQ(asking.answers.take(1).size(), 1u);
  EXPECT_EQ(asking.answers.passed_over(), 1);
}

TEST(ClipAnswers, OfSomebodyWhoPassesOverEverythingKeepNobodyWaiting) {
  const ScratchFolder scratch;
  Asking asking(scratch / "run", for_people());
  asking.ask(2);
  for (int i = 0; i < 2; ++i) asking.say(ann, Skip{});
  asking.answers.begin([&] {
    asking.ask(1);
    asking.say(ann, Skip{});
  });
  EXPECT_EQ(asking.questions.asked(), 4);  // as many again as there were
  EXPECT_TRUE(asking.answers.take(before_training).empty());
  EXPECT_EQ(asking.answers.passed_over(), 4);
}

TEST(ClipAnswers, ToAQuestionThatWasWithdrawnAreNotWaitedFor) {
  const ScratchFolder scratch;
  Asking asking(scratch / "run", for_people());
  asking.ask(1);
  asking.store.requeue(asking.questions.pairs()[0], {.withdrawn = true, .reason = "the film is black"});
  asking.answers.begin([&] {
    asking.ask(1);
    asking.say(ann, Comparison{.best = 0});
  });
  EXPECT_EQ(asking.answers.take(before_training).size(), 1u);
}

TEST(ClipAnswers, AreNotAskedForAnyMoreOnceTheRunHasEnded) {
  const ScratchFolder scratch;
  auto config = for_people();
  config.store = scratch / "shared.db";
  Asking one(scratch / "labels-1", config), other(scratch / "labels-2", config);
  one.ask(3, 5);
  other.ask(1);
  one.say(ann, Comparison{.best = 0});
  one.say(ann, Skip{});
  one.answers.close();
  EXPECT_EQ(one.store.lease(ann, std::chrono::seconds(60))->question.id, other.questions.pairs()[0]);
  EXPECT_FALSE(one.store.lease(bob, std::chrono::seconds(60)).has_value());
}

/// Killed after the first fit and before the first checkpoint, it asks the same again and finds the answers.
TEST(ClipAnswers, AreFoundByARunThatBeginsAgain) {
  const ScratchFolder scratch;
  for (const bool named : {false, true}) {
    const auto folder = scratch / (named ? "named" : "own");
    auto config = for_people();
    if (named) config.store = scratch / "shared.db";
    const auto first = [&](bool begins_again) {
      Asking asking(folder, config);
      asking.ask(2);
      if (!begins_again)
        for (int i = 0; i < 2; ++i) asking.say(ann, Skip{});
      asking.answers.begin([&] {
        asking.ask(1);
        if (!begins_again) asking.say(ann, Comparison{.best = 1});
      });
      EXPECT_EQ(asking.answers.take(before_training).size(), 2u);
      EXPECT_EQ(asking.store.counts().questions, 4);
      return asking.questions.pairs();
    };
    const auto asked = first(false);
    EXPECT_EQ(first(true), asked);
  }
}

TEST(ClipAnswers, AreThoseToTheRunsOwnQuestions) {
  const ScratchFolder scratch;
  auto config = few_labels();
  config.store = scratch / "shared.db";
  Asking one(scratch / "labels-1", config), other(scratch / "noise_10-1", config);
  one.ask(3);
  other.ask(2);
  one.answers.begin([] {});  // the teacher of the one leaves the questions of the other alone
  EXPECT_EQ(one.answers.take(before_training).size(), 3u);
  EXPECT_EQ(one.store.counts().answers, 3);
  other.answers.begin([] {});
  EXPECT_EQ(other.answers.take(before_training).size(), 2u);
  EXPECT_TRUE(one.answers.take(0).empty());
  for (const auto& question : other.questions.pairs()) EXPECT_FALSE(one.questions.own(question)) << question;
}

TEST(ClipAnswers, ThatPreferDemonstrationsStayWithTheirRun) {
  const ScratchFolder scratch;
  auto config = few_labels();
  config.store = scratch / "shared.db";
  Asking one(scratch / "autolabels-1", config), other(scratch / "autolabels-2", config);
  const auto still = [](const data::Array&, Random&) { return data::Action(std::int64_t{0}); };
  const std::vector shown{environments::roll_out(*one.replayer, still, 7)};
  for (auto* each : {&one, &other}) {
    const auto pairs = each->questions.ask(each->pool, each->reward, 2, before_training);
    each->questions.prefer(shown, pairs, each->pool);
  }
  for (auto* each : {&one, &other}) {
    each->answers.begin([] {});
    EXPECT_EQ(each->answers.take(before_training).size(), 2u + 4u);
    EXPECT_EQ(each->questions.autolabels(), 4);
  }
}

/// Another environment's clips, whose answers nobody could even read here: `rlhf clips` on the same store.
TEST(Preferences, LeaveAloneWhatElseIsInTheStore) {
  const ScratchFolder scratch;
  auto config = few_labels();
  config.store = scratch / "shared.db";
  auto store = feedback::Store::open(config.store);
  for (int i = 0; i < 3; ++i) {
    const data::Prompt prompt{.id = std::to_string(i)};
    std::vector<data::Completion> two(2);
    two[1].sample = 1;
    auto question =
        feedback::ask_with({.run = "clips", .stage = "cart_pole"}, feedback::builtin_form("clips"), prompt, two);
    for (auto& item : question.items) item.segment = {{"environment", "cart_pole"}};
    store.publish(question);
    if (i > 0) store.answer(store.lease_question(ann, question.id, std::chrono::seconds(60)).value(), Comparison{});
  }
  const PpoConfig ppo{.total_steps = 80 * 2, .envs = 2, .steps = 40, .minibatch = 80, .seed = 1};
  const auto learned = [&](const std::string& name, std::uint64_t seed) {
    auto own = config;
    own.seed = seed;
    const auto environments = poles();
    models::ActorCritic agent(environments->spec(), {});
    auto run = run_until(scratch / name, [] { return false; });
    Preferences preferences(one_pole(), environments->spec(), own, ppo.total_steps, run);
    preferences.begin(*poles(), agent, ppo);
    train(agent, *environments, ppo, preferences.hooks(), run);
    return preferences.labels();
  };
  EXPECT_EQ(learned("labels-4", 4), 8);
  EXPECT_EQ(learned("labels-5", 5), 8);
  EXPECT_EQ(learned("random_queries-4", 4), 8);
  EXPECT_EQ(store.counts().answers, 2 + 3 * 8);
  EXPECT_EQ(store.counts().open, 1);  // that of `rlhf clips`, for people
}

struct Learned {
  std::string agent, metrics;
  std::int64_t labels, asked;
};

/// With a teacher who passes over pairs of which neither clip shows a pole that stands.
Learned learned_with_skips(const std::filesystem::path& folder, std::int64_t stop_after) {
  auto config = few_labels();
  config.labels = 24;
  config.teacher.skip_below = 1;
  const PpoConfig ppo{.total_steps = 80 * 5, .envs = 2, .steps = 40, .minibatch = 80, .seed = 1};
  const auto environments = poles();
  models::ActorCritic agent(environments->spec(), {});
  std::int64_t rollouts = 0;
  Run run = run_until(folder, [&] { return stop_after > 0 && rollouts >= stop_after; });
  Preferences preferences(one_pole(), environments->spec(), config, ppo.total_steps, run);
  preferences.begin(*poles(), agent, ppo);
  auto hooks = preferences.hooks();
  hooks.after = [&, inner = hooks.after](std::int64_t index, const Rollout& rollout) {
    inner(index, rollout);
    ++rollouts;
  };
  train(agent, *environments, ppo, hooks, run);
  return {read_file(folder / "checkpoints/latest/agent.safetensors"), read_file(folder / "metrics.jsonl"),
          preferences.labels(), preferences.asked()};
}

TEST(Preferences, AskAgainForWhatWasPassedOverAndResumeToTheSameBits) {
  const ScratchFolder scratch;
  const auto whole = learned_with_skips(scratch / "whole", 0);
  EXPECT_GT(whole.asked, 24);
  EXPECT_GE(whole.labels, 22);  // the last rollout's are not asked for again
  EXPECT_LE(whole.labels, 24);
  learned_with_skips(scratch / "cut", 2);
  const auto resumed = learned_with_skips(scratch / "cut", 0);
  EXPECT_EQ(resumed.agent, whole.agent);
  EXPECT_EQ(resumed.metrics, whole.metrics);
}

TEST(ClipQuestions, AreAskedNewestFirst) {
  const ScratchFolder scratch;
  Asking asking(scratch / "run", few_labels());
  asking.ask(2, before_training);
  asking.ask(2, 3);
  std::vector<std::string> order;
  for (int i = 0; i < 4; ++i) order.push_back(asking.store.lease(ann, std::chrono::seconds(60))->question.id);
  const auto& pairs = asking.questions.pairs();
  EXPECT_EQ(order, (std::vector<std::string>{pairs[2], pairs[3], pairs[0], pairs[1]}));
}

TEST(ClipQuestions, PutPicturesWhereThePagesLookForThem) {
  EXPECT_EQ(feedback::folder_beside("some/feedback.db", "media"), "some/media");
  EXPECT_EQ(feedback::folder_beside("feedback.db", "media"), "media");
  EXPECT_EQ(feedback::folder_beside("postgresql://ann@host:5432/labels", "media"), "media");
  const ScratchFolder scratch;
  Asking asking(scratch / "run", for_people());
  asking.ask(1);
  const auto question = asking.store.question(asking.questions.pairs()[0]);
  EXPECT_TRUE(std::filesystem::exists(scratch / ("run/media/" + question->items[0].clip + ".json")));
}

}  // namespace
}  // namespace rlhf::control
