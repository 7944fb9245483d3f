#include "rlhf/evaluation/overoptimization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.h"

namespace rlhf::evaluation {
namespace {

Observation at(std::int64_t step, double gold, double learned, double distinct_2 = 0.95, double perplexity = 20.0) {
  Observation one;
  one.step = step;
  one.gold = Interval{gold, gold - 0.05, gold + 0.05};
  one.learned = learned;
  one.judge = gold;
  one.kl = 0.1 * static_cast<double>(step);
  one.entropy = 3.0;
  one.distinct_2 = distinct_2;
  one.repetition = 0.02;
  one.duplicates = 0.0;
  one.perplexity = perplexity;
  return one;
}

std::vector<std::string> codes(const Verdict& verdict) {
  std::vector<std::string> result;
  for (const auto& finding : verdict.findings) result.push_back((finding.serious ? "!" : "") + finding.code);
  return result;
}

TEST(Verdict, AGoodRunImproves) {
  const std::vector<Observation> run = {at(0, 0.0, 0.0), at(10, 0.4, 0.8, 0.93, 22), at(20, 0.7, 1.4, 0.9, 24)};
  const auto verdict = judge_run(run);
  EXPECT_EQ(verdict.outcome, Outcome::improved);
  EXPECT_THAT(codes(verdict), testing::IsEmpty());
  EXPECT_EQ(verdict.best_step, 20);
  EXPECT_THAT(verdict.headline, testing::HasSubstr("0.00 to 0.70"));
}

TEST(Verdict, HighScoresDoNotExcuseCollapse) {
  // Gold and judge both say 0.99; every completion is the same enthusiastic sentence.
  auto last = at(30, 0.99, 3.0, 0.12, 9.0);
  last.duplicates = 0.9;
  const std::vector<Observation> run = {at(0, 0.0, 0.0), at(15, 0.8, 1.5), last};
  const auto verdict = judge_run(run);
  EXPECT_EQ(verdict.outcome, Outcome::overoptimized);
  EXPECT_THAT(codes(verdict), testing::UnorderedElementsAre("!distinct_2_fell", "!duplicates_rose", "perplexity_fell"));
  EXPECT_EQ(verdict.best_step, 15);
}

TEST(Verdict, GibberishIsFoundByTheStartModel) {
  const std::vector<Observation> run = {at(0, 0.0, 0.0), at(30, 0.99, 3.0, 0.97, 95.0)};
  EXPECT_THAT(codes(judge_run(run)), testing::ElementsAre("!perplexity_rose"));
  EXPECT_EQ(judge_run(run).outcome, Outcome::overoptimized);
}

TEST(Verdict, RepetitionInsideACompletionCounts) {
  auto last = at(30, 0.9, 2.0);
  last.repetition = 0.4;
  EXPECT_THAT(codes(judge_run(std::vector{at(0, 0.0, 0.0), last})), testing::ElementsAre("!repetition_rose"));
}

TEST(Verdict, LearnedUpGoldDownIsOveroptimisation) {
  const std::vector<Observation> run = {at(0, 0.0, 0.0), at(10, 0.6, 1.0), at(20, 0.3, 2.0)};
  const auto verdict = judge_run(run);
  EXPECT_THAT(codes(verdict), testing::ElementsAre("!gold_fell_while_learned_rose"));
  EXPECT_EQ(verdict.best_step, 10);
  // Within the noise of the two intervals it is only a warning.
  EXPECT_THAT(codes(judge_run(std::vector{at(0, 0.0, 0.0), at(10, 0.6, 1.0), at(20, 0.53, 2.0)})), testing::ElementsAre("gold_fell_while_learned_rose"));
  // Gold that falls with the learned reward is a worse policy, not a gamed one.
  EXPECT_THAT(codes(judge_run(std::vector{at(0, 0.0, 0.0), at(10, 0.6, 1.0), at(20, 0.3, 0.5)})), testing::IsEmpty());
}

TEST(Verdict, Warnings) {
  auto last = at(20, 0.7, 0.0, 0.78, 33);
  last.judge = -0.2;
  last.entropy = 1.0;
  last.kl = -0.4;
  const auto verdict = judge_run(std::vector{at(0, 0.0, 0.0), last});
  EXPECT_EQ(verdict.outcome, Outcome::improved);
  EXPECT_THAT(codes(verdict), testing::UnorderedElementsAre("distinct_2_fell", "perplexity_rose", "judge_disagrees", "entropy_collapsed", "reward_flat", "kl_negative"));
  last.kl = 55;
  EXPECT_THAT(codes(judge_run(std::vector{at(0, 0.0, 0.0), last})), testing::Contains("kl_high"));
}

TEST(Verdict, IntervalsDecideWhatIsADifference) {
  EXPECT_EQ(judge_run(std::vector{at(0, 0.0, 0.0), at(9, 0.08, 0.5)}).outcome, Outcome::unchanged);
  EXPECT_EQ(judge_run(std::vector{at(0, 0.0, 0.0), at(9, -0.2, 0.0)}).outcome, Outcome::worse);
  EXPECT_EQ(judge_run(std::vector{at(0, 0.0, 0.0), at(9, -0.2, 0.5)}).outcome, Outcome::overoptimized);  // learned rose
  auto paired = at(9, 0.08, 0.5);
  paired.win = Interval{0.6, 0.54, 0.66};  // pairing sees what the two means cannot
  EXPECT_EQ(judge_run(std::vector{at(0, 0.0, 0.0), paired}).outcome, Outcome::improved);
}

TEST(Verdict, LimitsAreSettings) {
  const std::vector<Observation> run = {at(0, 0.0, 0.0), at(30, 0.9, 2.0, 0.5)};
  EXPECT_EQ(judge_run(run).outcome, Outcome::overoptimized);
  EXPECT_EQ(judge_run(run, {.distinct_limit = 0.4}).outcome, Outcome::improved);
  EXPECT_THROW(judge_run(run, {.distinct_limit = 0.9}), Error);
  EXPECT_THROW(judge_run(run, {.perplexity_limit = 1.2}), Error);
}

TEST(Verdict, OneObservationIsNoComparison) {
  const auto verdict = judge_run(std::vector{at(0, 0.3, 0.0)});
  EXPECT_EQ(verdict.outcome, Outcome::unchanged);
  EXPECT_THAT(codes(verdict), testing::IsEmpty());
  EXPECT_THROW(judge_run({}), Error);
}

TEST(Verdict, RowsAndJson) {
  const auto one = Observation::from_row({{"step", 4}, {"gold", 0.5}, {"gold_low", 0.4}, {"kl", 2}, {"win_rate", 0.7}, {"perplexity", nullptr}});
  EXPECT_EQ(one.step, 4);
  EXPECT_EQ(one.gold->low, 0.4);
  EXPECT_EQ(one.gold->high, 0.5);
  EXPECT_EQ(one.win->mean, 0.7);
  EXPECT_FALSE(one.perplexity);
  const auto json = judge_run(std::vector{at(0, 0.0, 0.0), at(30, 0.99, 3.0, 0.1)}).to_json();
  EXPECT_EQ(json["outcome"], "overoptimized");
  EXPECT_EQ(json["findings"][0]["code"], "distinct_2_fell");
  EXPECT_EQ(json["best_step"], 0);
}

}  // namespace
}  // namespace rlhf::evaluation
