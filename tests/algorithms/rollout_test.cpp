#include "rlhf/algorithms/rollout.h"

#include <ATen/ops/zeros.h>

#include <limits>

#include "reference.h"
#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

data::Completion completion(TokenIds ids) {
  data::Completion result;
  result.sampled_logprobs.assign(ids.size(), -1.f);
  result.raw_logprobs = result.sampled_logprobs;
  result.ids = std::move(ids);
  return result;
}

Rollout two_completions() {
  std::vector<data::Prompt> prompts(2);
  prompts[0].ids = {1, 2};
  prompts[1].ids = {3};
  return lay_out(prompts, {completion({4, 5, 6}), completion({7})});
}

const DecodeFn count_tokens = [](std::span<const TokenId> ids) { return std::to_string(ids.size()); };

TEST(CutAtStop, KeepsTheStopTokenAndIgnoresEarlyOnes) {
  const StopConfig config{.tokens = {9}, .after = 2};
  const auto cut = cut_at_stop(completion({1, 9, 3, 9, 5}), config, count_tokens);
  EXPECT_TRUE(cut.stopped);
  EXPECT_EQ(cut.completion.ids, (TokenIds{1, 9, 3, 9}));
  EXPECT_EQ(cut.completion.sampled_logprobs.size(), 4u);
  EXPECT_EQ(cut.completion.text, "4");
  EXPECT_FALSE(cut_at_stop(completion({1, 9, 3}), config, count_tokens).stopped);
  EXPECT_THROW(cut_at_stop(completion({1, 2, 9, 4}), config, {}), Error);
}

TEST(CutAtStop, WithoutTokensFollowsTheSampler) {
  auto ended = completion({1, 2});
  ended.finish = data::FinishReason::stop;
  EXPECT_TRUE(cut_at_stop(ended, {}, {}).stopped);
  EXPECT_FALSE(cut_at_stop(completion({1, 2}), {}, {}).stopped);
}

TEST(Rollout, CountsCompletionTokensOnly) {
  const auto rollout = two_completions();
  EXPECT_EQ(rollout.starts, (std::vector<std::int64_t>{0, 3, 4}));
  EXPECT_EQ(rollout.examples[0].mask, (std::vector<std::uint8_t>{0, 0, 1, 1, 1}));
  const auto parts = partition(rollout, std::vector<std::int64_t>{1, 0}, 2, 100);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0][0].items, std::vector<std::int64_t>{1});
  EXPECT_EQ(parts[1][0].size(), 3);
  EXPECT_THROW(lay_out({data::Prompt{}}, {completion({1})}), Error);
}

TEST(PenaliseKl, WorkedByHand) {
  auto rollout = two_completions();
  rollout.logprobs = at::tensor({-1.f, -2.f, -3.f, -1.f});
  rollout.reference_logprobs = at::tensor({-1.5f, -2.f, -2.f, -1.25f});  // log ratios 0.5, 0, -1, 0.25
  const std::vector<rewards::Score> scores{{.value = 2}, {.value = -1}};
  const auto out = penalise_kl(scores, rollout, KlEstimator::k1, 0.1);
  expect_near(out.rewards, at::tensor({-.05f, 0.f, 2.1f, -1.025f}), 1e-6);
  EXPECT_NEAR(out.kl[0], -0.5, 1e-6);
  EXPECT_NEAR(out.mean_kl, -0.125, 1e-6);
  EXPECT_NEAR(out.mean_score, 0.5, 1e-9);
  EXPECT_NEAR(out.mean_reward, 0.5 + 0.1 * 0.125, 1e-6);
}

TEST(PenaliseKl, RefusesMissingAndInfiniteScores) {
  auto rollout = two_completions();
  for (Tensor* each : {&rollout.logprobs, &rollout.reference_logprobs}) each->zero_();
  EXPECT_THROW(penalise_kl(std::vector<rewards::Score>(1), rollout, KlEstimator::k1, 0.1), Error);
  const std::vector<rewards::Score> infinite{{.value = 1}, {.value = std::numeric_limits<double>::infinity()}};
  EXPECT_THROW(penalise_kl(infinite, rollout, KlEstimator::k1, 0.1), Error);
}

TEST(SamplingMismatch, WorkedByHand) {
  auto rollout = two_completions();
  rollout.logprobs = at::tensor({-1.f, -1.5f, -1.f, -1.f});
  const auto mismatch = sampling_mismatch(rollout);
  EXPECT_NEAR(mismatch.max, 0.5, 1e-6);
  EXPECT_NEAR(mismatch.mean, 0.125, 1e-6);
}

}  // namespace
}  // namespace rlhf::algorithms
