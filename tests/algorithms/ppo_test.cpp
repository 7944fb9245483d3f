#include "rlhf/algorithms/ppo.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "reference.h"
#include "rlhf/core/error.h"
#include "rlhf/generation/engine.h"
#include "rlhf/text/bundle.h"
#include "tiny.h"

namespace rlhf::algorithms {
namespace {

constexpr TokenId liked = 97;

std::vector<data::Prompt> prompts() {
  std::vector<data::Prompt> result(5);
  for (int i = 0; i < 5; ++i) result[i].id = std::to_string(i), result[i].ids = TokenIds(1 + i, 70 + i);
  return result;
}

bool is_liked(TokenId id) { return id % 8 == liked % 8; }

/// The share of an eighth of the vocabulary: what the toy policy is to learn to emit. One token alone would be sampled too
/// rarely at first to be learnt from.
std::vector<rewards::Score> share_of_liked(std::span<const data::Prompt>, std::span<const data::Completion> completions) {
  std::vector<rewards::Score> scores;
  for (const auto& completion : completions)
    scores.push_back({.value = double(std::count_if(completion.ids.begin(), completion.ids.end(), is_liked)) / double(completion.ids.size())});
  return scores;
}

PpoConfig quick() {
  PpoConfig config{.steps = 4, .batch = 16, .epochs = 2, .minibatches = 1, .learning_rate = 1e-2};
  config.sampling.max_new_tokens = 6;
  config.sampling.ignore_eos = true;
  return config;
}

const text::TextBundle& tiny_text() {
  static const auto text = text::TextBundle::from_hf_directory(RLHF_SOURCE_DIR "/tests/reference/models/llama_tied");
  return text;
}

PpoHooks hooks_for(const models::LanguageModel& model, const PpoConfig& config) {
  return {.generate = [&model, sampling = config.sampling](std::span<const data::Prompt> asked, std::int64_t version) {
            return generation::generate(model, tiny_text(), asked, sampling, {.policy_version = version});
          },
          .reward = share_of_liked,
          .write_model = write_nothing};
}

PpoResult run_ppo(models::LanguageModel& model, const PpoConfig& config, Run& run, const models::LanguageModel* reference_model = nullptr) {
  PromptStream stream(prompts(), 1);
  return train({.policy = model, .reference = reference_model}, stream, config, hooks_for(model, config), run);
}

TEST(Ppo, Step0KlIsExactly0AndRatioExactly1) {
  const Scratch scratch;
  int index = 0;
  // One piece (the update's own forward serves as the old policy), several pieces, several minibatches.
  for (const auto& [budget, minibatches] : {std::pair<std::int64_t, std::int64_t>{4096, 1}, {40, 1}, {40, 2}}) {
    const auto name = std::to_string(index++);
    const auto model = tiny_lora();
    auto config = quick();
    config.steps = 1;
    config.micro_tokens = budget;
    config.minibatches = minibatches;
    rlhf::Run run(scratch.run(name), "", {});
    run_ppo(*model, config, run);
    EXPECT_EQ(metric(scratch, name, "objective/kl").at(0), 0.0);
    EXPECT_EQ(metric(scratch, name, "val/ratio_start").at(0), 0.0);
    EXPECT_LT(metric(scratch, name, "sampling/sampling_logp_difference/max").at(0), 1e-4);
  }
}

TEST(Ppo, TrainsAllWeightsAgainstAFrozenCopy) {
  const Scratch scratch;
  const auto model = tiny_model(), reference_model = tiny_model();
  auto config = quick();
  config.learning_rate = 1e-3;
  {
    rlhf::Run run(scratch.run("a"), "", {});
    run_ppo(*model, config, run, reference_model.get());
  }
  const auto kl = metric(scratch, "a", "objective/kl");
  EXPECT_EQ(kl.at(0), 0.0);
  EXPECT_NE(kl.at(1), 0.0);
  EXPECT_FALSE(at::equal(model->output_weight(), reference_model->output_weight()));
  const auto other = tiny_model();
  for (const auto& [name, weight] : other->weights()) EXPECT_TRUE(at::equal(weight, reference_model->weights().at(name)));
  rlhf::Run run(scratch.run("b"), "", {});
  EXPECT_THROW(run_ppo(*model, config, run), Error) << "no reference";
}

TEST(Ppo, LearnsToEmitAToken) {
  const Scratch scratch;
  const auto model = tiny_lora();
  auto config = quick();
  config.steps = 40;
  config.batch = 32;
  config.epochs = 4;
  config.learning_rate = 2e-2;
  config.kl.control = KlControl::fixed;
  config.kl.coefficient = 0.01;
  rlhf::Run run(scratch.run("a"), "", {});
  run_ppo(*model, config, run);
  const auto scores = metric(scratch, "a", "objective/scores"), kl = metric(scratch, "a", "objective/kl");
  const double end = std::accumulate(scores.end() - 5, scores.end(), 0.0) / 5;
  EXPECT_LT(scores.front(), 0.3);
  EXPECT_GT(end, 0.6);
  EXPECT_GT(kl.back(), 1);
}

TEST(Ppo, PiecesAreOneBatch) {
  const Scratch scratch;
  for (const auto& [name, budget] : {std::pair{"whole", 4096}, {"pieces", 30}}) {
    const auto model = tiny_lora();
    auto config = quick();
    config.steps = 2;
    config.micro_tokens = budget;
    config.adam.epsilon = 1e-3;  // Adam's first steps are signs: rounding must not decide them
    rlhf::Run run(scratch.run(name), "", {});
    run_ppo(*model, config, run);
  }
  for (const auto* each : {"loss/policy_avg", "loss/value_avg", "policy/approxkl_avg", "objective/entropy"}) {
    const auto whole = metric(scratch, "whole", each), pieces = metric(scratch, "pieces", each);
    EXPECT_NEAR(whole[0], pieces[0], 1e-4) << each;
  }
}

TEST(Ppo, ResumedIsUninterruptedToTheBit) {
  const Scratch scratch;
  auto config = quick();
  config.minibatches = 2;
  config.steps = 6;
  const auto whole = tiny_lora(), broken = tiny_lora(), resumed = tiny_lora();
  {
    rlhf::Run run(scratch.run("whole"), "", {});
    run_ppo(*whole, config, run);
  }
  {
    int polled = 0;
    rlhf::Run run(scratch.run("broken", false, [&] { return ++polled >= 3; }), "", {});
    EXPECT_EQ(run_ppo(*broken, config, run).steps, 3);
  }
  rlhf::Run run(scratch.run("broken", true), "", {});
  run_ppo(*resumed, config, run);
  EXPECT_TRUE(same_bits(models::lora_parameters(*whole), models::lora_parameters(*resumed)));
  EXPECT_EQ(scratch.text("whole/metrics.jsonl"), scratch.text("broken/metrics.jsonl"));
  EXPECT_EQ(scratch.text("whole/samples.jsonl"), scratch.text("broken/samples.jsonl"));
}

TEST(Ppo, AValueModelOfItsOwnLearnsToo) {
  const Scratch scratch;
  const auto model = tiny_lora(1), value = tiny_lora(2), before = tiny_lora(2);
  const auto config = quick();
  PromptStream stream(prompts(), 1);
  rlhf::Run run(scratch.run("a"), "", {});
  train({.policy = *model, .value = value.get()}, stream, config, hooks_for(*model, config), run);
  EXPECT_FALSE(same_bits(models::lora_parameters(*value), models::lora_parameters(*before)));
}

TEST(Ppo, MissingStopReplacesTheScore) {
  const Scratch scratch;
  const auto model = tiny_lora();
  auto config = quick();
  config.steps = 1;
  config.stop = {.tokens = {263000}, .missing_score = -1};  // a token that never comes
  rlhf::Run run(scratch.run("a"), "", {});
  run_ppo(*model, config, run);
  EXPECT_EQ(metric(scratch, "a", "objective/scores").at(0), -1);
  EXPECT_EQ(metric(scratch, "a", "completions/stopped_ratio").at(0), 0);
}

TEST(Ppo, AsPublishedLearnsFromTokensBehindTheStop) {
  const Scratch scratch;
  for (const bool published : {false, true}) {
    const auto model = tiny_lora();
    auto config = quick();
    config.steps = 1;
    config.as_published = published;
    for (TokenId token = 0; token < 264; ++token) config.stop.tokens.push_back(token);  // every token is an end
    config.stop.after = 2;
    auto hooks = hooks_for(*model, config);
    std::size_t longest = 0;
    hooks.decode = [](std::span<const TokenId>) { return "cut"; };
    hooks.reward = [&](std::span<const data::Prompt> asked, std::span<const data::Completion> completions) {
      for (const auto& completion : completions) longest = std::max(longest, completion.ids.size());
      return share_of_liked(asked, completions);
    };
    PromptStream stream(prompts(), 1);
    const std::string name = published ? "published" : "cut";
    rlhf::Run run(scratch.run(name), "", {});
    train({.policy = *model}, stream, config, hooks, run);
    EXPECT_EQ(longest, 3u);  // the reward never sees more
    EXPECT_EQ(metric(scratch, name, "completions/mean_length").at(0), published ? 6 : 3);
  }
}

TEST(Ppo, SignTestStopsAFlippedReward) {
  const Scratch scratch;
  const auto model = tiny_lora();
  auto config = quick();
  config.steps = 1;
  auto hooks = hooks_for(*model, config);
  hooks.sign_test = SignTest{};
  hooks.sign_test->good.ids = {1, 2};
  hooks.sign_test->bad.ids = {liked, liked};
  PromptStream stream(prompts(), 1);
  rlhf::Run run(scratch.run("a"), "", {});
  try {
    train({.policy = *model}, stream, config, hooks, run);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::check);
    EXPECT_EQ(error.where(), "sign_test");
  }
  config.sign_test = false;
  EXPECT_EQ(train({.policy = *model}, stream, config, hooks, run).steps, 1);
}

TEST(PpoConfig, RefusesFilteredSamplingAndTinyWhitening) {
  auto filtered = quick();
  filtered.sampling.top_p = 0.9;
  EXPECT_THROW(filtered.validate(), Error);
  auto small = quick();
  small.minibatches = 4;  // 4 completions each
  EXPECT_THROW(small.validate(), Error);
  small.whiten_rewards = false;
  EXPECT_NO_THROW(small.validate());
  PpoConfig defaults;
  EXPECT_NO_THROW(defaults.validate());
}

}  // namespace
}  // namespace rlhf::algorithms
