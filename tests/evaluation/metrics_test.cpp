// Text metrics, intervals, win rate, agreement and calibration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/evaluation/agreement.h"
#include "rlhf/evaluation/bootstrap.h"
#include "rlhf/evaluation/calibration.h"
#include "rlhf/evaluation/text_metrics.h"
#include "rlhf/evaluation/win_rate.h"

namespace rlhf::evaluation {
namespace {

using testing::HasSubstr;
using testing::Property;
using testing::Throws;
using Texts = std::vector<std::string>;

nlohmann::json golden() {
  std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/evaluation/evaluation_numbers.json");
  return nlohmann::json::parse(file);
}

TEST(TextMetrics, WordsKeepContractionsAndSplitMarks) {
  EXPECT_THAT(words("It's fine, été!"), testing::ElementsAre("it's", "fine", ",", "été", "!"));
  EXPECT_THAT(words(" \n"), testing::IsEmpty());
}

TEST(TextMetrics, WorkedByHand) {
  const Texts texts = {"a b a b", "a b c", "a"};
  // 8 words, 3 different. Pairs: ab ba ab | ab bc: 5, of which ab, ba, bc are different.
  EXPECT_DOUBLE_EQ(distinct_n(texts, 1), 3.0 / 8);
  EXPECT_DOUBLE_EQ(distinct_n(texts, 2), 3.0 / 5);
  const auto metrics = text_metrics(texts);
  EXPECT_DOUBLE_EQ(metrics.distinct_1, 3.0 / 8);
  EXPECT_DOUBLE_EQ(metrics.distinct_2_within, (2.0 / 3 + 1.0) / 2);  // the one-word text has no pair
  EXPECT_DOUBLE_EQ(metrics.words, 8.0 / 3);
  EXPECT_EQ(metrics.duplicates, 0.0);
}

TEST(TextMetrics, RepetitionCountsRunsOfThreeSeenBefore) {
  // ab ca bc: "a b a b a b" has runs aba bab aba bab: 4, 2 of them new.
  EXPECT_DOUBLE_EQ(text_metrics(Texts{"a b a b a b"}).repetition, 0.5);
  EXPECT_EQ(text_metrics(Texts{"one two three four"}).repetition, 0.0);
}

TEST(TextMetrics, OneAnswerForEveryPromptIsAllDuplicates) {
  EXPECT_DOUBLE_EQ(text_metrics(Texts{"I love it.", "i love it .", "I love it!", "I love it."}).duplicates, 0.5);
  EXPECT_EQ(text_metrics(Texts{}).distinct_2, 0.0);
}

TEST(Bootstrap, QuantilesAreLinearBetweenNeighbours) {
  const std::vector<double> sorted = {1, 2, 4, 8};
  EXPECT_DOUBLE_EQ(quantile(sorted, 0.5), 3.0);
  EXPECT_DOUBLE_EQ(quantile(sorted, 0.0), 1.0);
  EXPECT_DOUBLE_EQ(quantile(sorted, 1.0), 8.0);
  EXPECT_DOUBLE_EQ(quantile(sorted, 0.9), 6.8);
  const auto numbers = golden().at("quantiles");
  auto values = numbers.at("sorted").get<std::vector<double>>();
  for (const auto& [q, expected] : numbers.at("at").items()) EXPECT_NEAR(quantile(values, std::stod(q)), expected.get<double>(), 1e-12);
}

TEST(Bootstrap, AgreesWithAnIndependentComputation) {
  for (const auto& one : golden().at("bootstrap")) {
    const auto values = one.at("values").get<std::vector<double>>();
    const auto clusters = one.at("clusters").get<Texts>();
    const auto interval = bootstrap_mean(values, clusters, {.resamples = 20000, .seed = 3});
    EXPECT_NEAR(interval.mean, one.at("mean").get<double>(), 1e-12);
    // Two bootstraps with different random numbers: the tolerance is a few times the Monte Carlo error of an end.
    const double width = one.at("high").get<double>() - one.at("low").get<double>();
    EXPECT_NEAR(interval.low, one.at("low").get<double>(), 0.03 * width) << one.at("name");
    EXPECT_NEAR(interval.high, one.at("high").get<double>(), 0.03 * width) << one.at("name");
  }
}

TEST(Bootstrap, ClustersWidenTheInterval) {
  // Ten prompts whose four samples are equal: as uncertain as ten values, not forty.
  std::vector<double> values;
  Texts prompts, alone;
  for (int i = 0; i < 40; ++i) {
    values.push_back((i / 4) % 2);
    prompts.push_back(std::to_string(i / 4));
    alone.push_back(std::to_string(i));
  }
  const auto honest = bootstrap_mean(values, prompts), naive = bootstrap_mean(values, alone);
  EXPECT_NEAR((honest.high - honest.low) / (naive.high - naive.low), 2.0, 0.25);
}

TEST(Bootstrap, SameSeedSameBits) {
  // Enough different values that two seeds cannot end at the same means by chance.
  std::vector<double> values;
  Texts prompts;
  for (int i = 0; i < 30; ++i) {
    values.push_back(std::sqrt(2.0 + i) * (i % 3));
    prompts.push_back(std::to_string(i));
  }
  const auto one = bootstrap_mean(values, prompts, {.seed = 5}), two = bootstrap_mean(values, prompts, {.seed = 5}), other = bootstrap_mean(values, prompts, {.seed = 6});
  EXPECT_EQ(one.low, two.low);
  EXPECT_EQ(one.high, two.high);
  EXPECT_TRUE(one.low != other.low || one.high != other.high);
}

TEST(Bootstrap, RefusesNonsense) {
  EXPECT_THROW(bootstrap_mean(std::vector<double>{}, Texts{}), Error);
  EXPECT_THROW(bootstrap_mean(std::vector<double>{1, 2}, Texts{"a"}), Error);
  EXPECT_THROW(bootstrap_mean(std::vector<double>{1}, Texts{"a"}, {.resamples = 0}), Error);
  EXPECT_THROW(bootstrap_mean(std::vector<double>{1}, Texts{"a"}, {.confidence = 1.0}), Error);
}

TEST(WinRate, TiesCountHalf) {
  const std::vector<ScoredSample> start = {{"a", 0, 1.0}, {"a", 1, 1.0}, {"b", 0, 0.0}, {"b", 1, 0.0}};
  const std::vector<ScoredSample> now = {{"b", 1, 0.05}, {"b", 0, -1.0}, {"a", 0, 2.0}, {"a", 1, 3.0}};  // any order
  const auto exact = win_rate(now, start);
  EXPECT_EQ(exact.wins, 3);
  EXPECT_EQ(exact.losses, 1);
  EXPECT_DOUBLE_EQ(exact.rate.mean, 0.75);
  const auto loose = win_rate(now, start, {}, 0.1);
  EXPECT_EQ(loose.ties, 1);
  EXPECT_DOUBLE_EQ(loose.rate.mean, 2.5 / 4);
  EXPECT_LE(loose.rate.low, loose.rate.mean);
  EXPECT_GE(loose.rate.high, loose.rate.mean);
}

TEST(WinRate, AgainstItselfIsOneHalfExactly) {
  const std::vector<ScoredSample> same = {{"a", 0, 1.0}, {"b", 0, -3.0}};
  const auto rate = win_rate(same, same).rate;
  EXPECT_EQ(rate.low, 0.5);
  EXPECT_EQ(rate.mean, 0.5);
  EXPECT_EQ(rate.high, 0.5);
}

TEST(WinRate, EverySampleNeedsItsPartner) {
  const std::vector<ScoredSample> one = {{"a", 0, 1.0}}, two = {{"a", 0, 1.0}, {"a", 1, 1.0}}, twice = {{"a", 0, 1.0}, {"a", 0, 1.0}};
  EXPECT_THAT([&] { win_rate(two, one); }, Throws<Error>(Property(&Error::problem, HasSubstr("no partner"))));
  EXPECT_THAT([&] { win_rate(one, two); }, Throws<Error>(Property(&Error::problem, HasSubstr("missing now"))));
  EXPECT_THAT([&] { win_rate(twice, one); }, Throws<Error>(Property(&Error::problem, HasSubstr("twice"))));
}

TEST(Agreement, WorkedByHand) {
  const std::vector<double> learned = {2, 1, 1, 5, 0}, gold = {3, 1, 0, 1, 1};
  const Texts prompt = {"a", "a", "a", "b", "b"};
  // Pairs of a: (0,1) right, (0,2) right, (1,2) equal learned: half. The pair of b has equal gold. 2.5 / 3.
  const auto result = agreement(learned, gold, prompt);
  EXPECT_EQ(result.pairs, 3);
  EXPECT_DOUBLE_EQ(result.accuracy, 2.5 / 3);
}

TEST(Agreement, CorrelationsEqualTheReference) {
  for (const auto& one : golden().at("correlation")) {
    const auto left = one.at("left").get<std::vector<double>>(), right = one.at("right").get<std::vector<double>>();
    EXPECT_NEAR(pearson(left, right), one.at("pearson").get<double>(), 1e-12);
    EXPECT_NEAR(spearman(left, right), one.at("spearman").get<double>(), 1e-12);
  }
  EXPECT_EQ(pearson(std::vector<double>{1, 1}, std::vector<double>{1, 2}), 0.0);
}

TEST(Calibration, WorkedByHand) {
  // One prompt, gold rising; learned margins between neighbours 1, 3 (right), and one that is wrong by 2.
  const std::vector<double> learned = {0, 1, 4, 2}, gold = {0, 1, 2, 3};
  const Texts prompt(4, "a");
  const auto one = calibration(learned, gold, prompt, 1);
  ASSERT_EQ(one.bins.size(), 1u);
  EXPECT_EQ(one.bins[0].pairs, 6);
  EXPECT_DOUBLE_EQ(one.bins[0].observed, 5.0 / 6);
  const auto sigmoid = [](double x) { return 1.0 / (1.0 + std::exp(-x)); };
  EXPECT_NEAR(one.bins[0].predicted, (sigmoid(1) + sigmoid(4) + sigmoid(2) + sigmoid(3) + sigmoid(1) + sigmoid(2)) / 6, 1e-12);
  EXPECT_NEAR(one.error, std::abs(one.bins[0].predicted - 5.0 / 6), 1e-12);
  EXPECT_EQ(calibration(learned, gold, prompt, 100).bins.size(), 6u);
  EXPECT_THROW(calibration(learned, gold, prompt, 0), Error);
  EXPECT_THROW(calibration(learned, gold, Texts{"a"}), Error);
}

}  // namespace
}  // namespace rlhf::evaluation
