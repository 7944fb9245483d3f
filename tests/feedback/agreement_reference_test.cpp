// Agreement between annotators against published tables and against packages that others wrote
// (tests/reference/feedback/agreement_numbers.py).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/feedback/statistics/kappa.h"
#include "rlhf/feedback/statistics/kendall.h"
#include "rlhf/feedback/statistics/krippendorff.h"

namespace rlhf::feedback::statistics {
namespace {

using nlohmann::json;

const json& reference() {
  static const auto numbers =
      json::parse(std::ifstream(RLHF_SOURCE_DIR "/tests/reference/feedback/agreement_numbers.json"));
  return numbers;
}

/// From a matrix [annotators][items] in which null is a missing answer.
std::vector<Given> answers_of(const json& matrix) {
  std::vector<Given> answers;
  for (int annotator = 0; annotator < static_cast<int>(matrix.size()); ++annotator) {
    for (int item = 0; item < static_cast<int>(matrix[0].size()); ++item)
      if (!matrix[annotator][item].is_null()) answers.push_back({annotator, item, matrix[annotator][item].get<double>()});
  }
  return answers;
}

TEST(Krippendorff, MatchesThePublishedExampleAndThePackage) {
  const std::pair<const char*, Level> levels[] = {
      {"nominal", Level::nominal}, {"ordinal", Level::ordinal}, {"interval", Level::interval}, {"ratio", Level::ratio}};
  for (const auto& each : reference()["krippendorff"]) {
    const auto patterns = patterns_of(answers_of(each["annotators"]));
    for (int i = 0; i < 4; ++i) {
      const auto alpha = krippendorff_alpha(patterns, levels[i].second, {.resamples = 0});
      ASSERT_TRUE(alpha) << each["name"];
      EXPECT_NEAR(alpha->value, each[levels[i].first].get<double>(), 1e-12) << each["name"] << levels[i].first;
      if (each["published"].is_null()) continue;
      EXPECT_NEAR(alpha->value, each["published"][i].get<double>(), 5e-4);
    }
  }
}

TEST(Krippendorff, IntervalIsThatOfTheUsualBootstrap) {
  const auto& expected = reference()["alpha_interval"];
  const auto patterns = patterns_of(answers_of(expected["annotators"]));
  const auto alpha = krippendorff_alpha(patterns, Level::interval, {.resamples = 4000});
  EXPECT_NEAR(alpha->low, expected["interval"][0].get<double>(), 0.03);
  EXPECT_NEAR(alpha->high, expected["interval"][1].get<double>(), 0.03);
  EXPECT_LT(alpha->low, alpha->value);
  EXPECT_GT(alpha->high, alpha->value);
}

TEST(Krippendorff, NothingCanBeSaidWithoutVariationOrOverlap) {
  const std::vector<Given> alike = {{0, 0, 1}, {1, 0, 1}, {0, 1, 1}, {1, 1, 1}}, alone = {{0, 0, 1}, {1, 1, 2}};
  EXPECT_FALSE(krippendorff_alpha(patterns_of(alike), Level::nominal));
  EXPECT_FALSE(krippendorff_alpha(patterns_of(alone), Level::nominal));
  EXPECT_FALSE(raw_agreement(patterns_of(alone)));
}

TEST(CohenKappa, MatchesThePublishedTableAndThePackage) {
  const auto& cases = reference()["cohen"];
  for (const auto& each : cases) {
    const auto table = each["table"].get<Table>();
    EXPECT_NEAR(cohen_kappa(table, KappaWeights::none)->value, each["none"].get<double>(), 1e-12);
    EXPECT_NEAR(cohen_kappa(table, KappaWeights::linear)->value, each["linear"].get<double>(), 1e-12);
    EXPECT_NEAR(cohen_kappa(table, KappaWeights::quadratic)->value, each["quadratic"].get<double>(), 1e-12);
  }
  const auto published = cohen_kappa(cases[0]["table"].get<Table>());  // Cohen 1960: .492
  EXPECT_NEAR(published->value, 0.492, 5e-4);
  EXPECT_EQ(published->n, 200);
}

TEST(CohenKappa, TableCountsOnlyWhatBothAnswered) {
  const std::vector<Given> answers = {{0, 0, 1}, {1, 0, 1}, {0, 1, 0}, {1, 1, 1}, {0, 2, 1}, {2, 0, 0}};
  EXPECT_EQ(table_of(answers, 0, 1, 2), (Table{{0, 1}, {0, 1}}));
}

TEST(FleissKappa, MatchesThePsychiatricDiagnoses) {
  for (const auto& each : reference()["fleiss"]) {
    std::vector<Given> answers;
    for (int patient = 0; patient < static_cast<int>(each["answers"].size()); ++patient) {
      for (int i = 0; i < 6; ++i) answers.push_back({i, patient, each["answers"][patient][i].get<double>()});
    }
    const auto kappa = fleiss_kappa(patterns_of(answers));
    EXPECT_NEAR(kappa->value, each["kappa"].get<double>(), 1e-12);
    EXPECT_NEAR(kappa->value, each["published"].get<double>(), 5e-4);
    EXPECT_EQ(kappa->n, 30);
    answers.push_back({0, 99, 1.0});  // a question with two answers instead of six is left out
    answers.push_back({1, 99, 2.0});
    EXPECT_NEAR(fleiss_kappa(patterns_of(answers))->value, each["kappa"].get<double>(), 1e-12);
  }
}

TEST(KendallTau, MatchesThePackage) {
  for (const auto& each : reference()["kendall"]) {
    const auto tau = kendall_tau_b(each["one"].get<std::vector<double>>(), each["other"].get<std::vector<double>>());
    ASSERT_TRUE(tau);
    EXPECT_NEAR(*tau, each["tau"].get<double>(), 1e-12);
  }
  EXPECT_FALSE(kendall_tau_b(std::vector<double>{0, 0}, std::vector<double>{0, 1}));
}

TEST(KendallTau, IsAveragedOverPairsAndQuestions) {
  const auto same = ranks_of({{2}, {0, 1}}, 3), reversed = ranks_of({{0, 1}, {2}}, 3);
  EXPECT_EQ(same, (std::vector<double>{1, 1, 0}));
  const auto mean = mean_kendall({{same, same}, {same, reversed}});
  EXPECT_DOUBLE_EQ(mean->value, 0.0);
  EXPECT_EQ(mean->n, 2);
}

TEST(RawAgreement, CountsPairsOfAnswersByHand) {
  // Three answers of which two agree: 1 of 3 pairs; two that agree: 1 of 1.
  const std::vector<Given> answers = {{0, 0, 1}, {1, 0, 1}, {2, 0, 0}, {0, 1, 0}, {1, 1, 0}, {0, 2, 0}};
  const auto raw = raw_agreement(patterns_of(answers));
  EXPECT_DOUBLE_EQ(raw->value, 0.5);
  EXPECT_EQ(raw->n, 4);
}

}  // namespace
}  // namespace rlhf::feedback::statistics
