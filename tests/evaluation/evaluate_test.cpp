#include "rlhf/evaluation/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/core/error.h"

namespace rlhf::evaluation {
namespace {

std::vector<data::Prompt> two_prompts() {
  std::vector<data::Prompt> prompts(2);
  prompts[0].id = "a";
  prompts[0].text = "Question A";
  prompts[1].id = "b";
  prompts[1].text = "Question B";
  return prompts;
}

/// Two samples a prompt; the text is `word` as often as the sample number + 1.
Sources sources(const std::string& word, double score) {
  Sources result;
  result.generate = [word](std::span<const data::Prompt> prompts) {
    std::vector<data::Completion> completions;
    for (const auto& prompt : prompts) {
      for (int sample = 0; sample < 2; ++sample) {
        auto& one = completions.emplace_back();
        one.prompt_id = prompt.id;
        one.sample = sample;
        one.text = word + (sample == 1 ? " " + word : "");
        one.ids = TokenIds(static_cast<std::size_t>(sample) + 1, 7);
        one.finish = sample == 1 ? data::FinishReason::length : data::FinishReason::stop;
      }
    }
    return completions;
  };
  result.gold = [score](auto, std::span<const data::Completion> completions) {
    std::vector<double> values;
    for (const auto& one : completions) values.push_back(score + (one.prompt_id == "a" ? 0.2 : 0.0));
    return values;
  };
  return result;
}

TEST(Evaluate, WorkedByHand) {
  const auto prompts = two_prompts();
  auto with_measure = sources("good", 1.0);
  with_measure.measure = [](auto, std::span<const data::Completion> completions) {
    std::vector<TokenSums> sums;
    for (const auto& one : completions) {
      const auto tokens = static_cast<std::int64_t>(one.ids.size());
      const auto count = static_cast<double>(tokens);
      sums.push_back({.tokens = tokens, .start_logprob = -2.0 * count, .policy_logprob = -1.5 * count, .entropy = 1.0 * count});
    }
    return sums;
  };
  const auto start = answer(prompts, sources("fine", 0.0)), now = answer(prompts, with_measure);
  const auto result = evaluate(12, start, now);
  EXPECT_EQ(result.prompts, 2);
  EXPECT_EQ(result.samples, 4);
  EXPECT_DOUBLE_EQ(result.gold->mean, 1.1);
  EXPECT_DOUBLE_EQ(result.win->rate.mean, 1.0);
  EXPECT_DOUBLE_EQ(*result.kl, 0.5 * 1.5);  // half a nat a token, 1.5 tokens a completion
  EXPECT_DOUBLE_EQ(*result.entropy, 1.0);
  EXPECT_DOUBLE_EQ(*result.perplexity, std::exp(2.0));
  EXPECT_DOUBLE_EQ(result.length, 1.5);
  EXPECT_DOUBLE_EQ(result.truncated, 0.5);
  EXPECT_FALSE(result.learned);
  EXPECT_FALSE(result.judge);
  const auto row = result.to_row();
  EXPECT_EQ(row["step"], 12);
  EXPECT_EQ(row["wins"], 4);
  EXPECT_FALSE(row.contains("learned"));
  EXPECT_FALSE(row.contains("agreement"));
}

TEST(Evaluate, TheStartAgainstItselfIsATie) {
  const auto prompts = two_prompts();
  const auto start = answer(prompts, sources("fine", 0.0));
  const auto result = evaluate(0, start, start);
  EXPECT_EQ(result.win->rate.mean, 0.5);
  EXPECT_EQ(result.win->ties, 4);
  EXPECT_FALSE(result.kl);
}

TEST(Evaluate, LearnedAndGoldAreCompared) {
  const auto prompts = two_prompts();
  auto all = sources("good", 0.0);
  all.gold = [](auto, std::span<const data::Completion> completions) {
    std::vector<double> values;
    for (const auto& one : completions) values.push_back(one.sample);
    return values;
  };
  all.learned = [](auto, std::span<const data::Completion> completions) {
    std::vector<double> values;
    for (const auto& one : completions) values.push_back(one.prompt_id == "a" ? one.sample : -one.sample);
    return values;
  };
  all.judge = all.gold;
  const auto now = answer(prompts, all);
  const auto result = evaluate(1, now, now);
  EXPECT_EQ(result.agreement->pairs, 2);
  EXPECT_DOUBLE_EQ(result.agreement->accuracy, 0.5);
  EXPECT_EQ(*result.judge_win_rate, 0.5);
  EXPECT_DOUBLE_EQ(result.to_row()["agreement"]["accuracy"], 0.5);
  EXPECT_FALSE(result.to_row()["calibration"]["bins"].empty());
}

TEST(Evaluate, SampleRowsCarryWhatIsKnown) {
  const auto prompts = two_prompts();
  const auto rows = sample_rows(3, prompts, answer(prompts, sources("good", 0.5)));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[3], (nlohmann::json{{"step", 3}, {"prompt_id", "b"}, {"sample", 1}, {"prompt", "Question B"}, {"completion", "good good"}, {"gold", 0.5}, {"finish_reason", "length"}}));
}

TEST(Evaluate, ASourceMustAnswerForEveryCompletion) {
  const auto prompts = two_prompts();
  auto wrong = sources("good", 0.0);
  wrong.judge = [](auto, auto) { return std::vector<double>{1.0}; };
  EXPECT_THAT([&] { answer(prompts, wrong); }, testing::Throws<Error>(testing::Property(&Error::where, "evaluation.judge")));
  EXPECT_THROW(evaluate(0, {}, {}), Error);
}

}  // namespace
}  // namespace rlhf::evaluation
