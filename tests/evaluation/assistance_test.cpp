#include "rlhf/evaluation/assistance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace rlhf::evaluation {
namespace {

TEST(Assistance, WorkedByHand) {
  // Four pairs. Alone: right, right, wrong, wrong. With help: right, wrong (misled), right, right.
  const std::vector<AidedJudgement> judgements = {
      {"a", false, true, {}, 10},  {"b", false, true, {}, 10},     {"c", false, false, {}, 10}, {"d", false, false, {}, 10},
      {"a", true, true, true, 6},  {"b", true, false, false, 6},   {"c", true, true, true, 6},  {"d", true, true, {}, 6}};
  const auto report = assistance_report(judgements);
  EXPECT_DOUBLE_EQ(report.unaided->value, 0.5);
  EXPECT_DOUBLE_EQ(report.aided->value, 0.75);
  // Wilson's score interval of 3 of 4, z = 1.959964: (0.75 + z^2/8 ± z sqrt(0.1875/4 + z^2/64)) / (1 + z^2/4)
  EXPECT_NEAR(report.aided->low, 0.300642, 1e-5);
  EXPECT_NEAR(report.aided->high, 0.954413, 1e-5);
  EXPECT_DOUBLE_EQ(report.uplift->mean, 0.25);
  EXPECT_LT(report.uplift->low, 0.25);
  EXPECT_EQ(report.help_wrong, 1);
  EXPECT_EQ(report.flipped, 1);
  EXPECT_DOUBLE_EQ(*report.over_reliance, 1.0);  // misled once of once; alone that pair was right
  EXPECT_DOUBLE_EQ(*report.seconds_saved, 4.0);
}

TEST(Assistance, OnePersonWhoSeesEachPairOnceIsMeasuredToo) {
  // With help on a and b, of which b's was wrong; alone on c and d, where d's would have been.
  const std::vector<AidedJudgement> judgements = {{"a", true, true, true, 6},
                                                  {"b", true, false, false, 8},
                                                  {"c", false, true, true, 9},
                                                  {"d", false, true, false, 13}};
  const auto report = assistance_report(judgements);
  EXPECT_FALSE(report.uplift);  // no pair was judged both ways
  EXPECT_DOUBLE_EQ(report.difference->value, -0.5);
  EXPECT_EQ(report.help_wrong, 1);
  EXPECT_DOUBLE_EQ(*report.over_reliance, 1.0);
  EXPECT_EQ(report.flipped, 0);
  EXPECT_DOUBLE_EQ(*report.unaided_seconds, 11.0);
  EXPECT_DOUBLE_EQ(*report.aided_seconds, 7.0);
}

TEST(Assistance, DifferenceOfSharesAsNewcombePrintsIt) {
  // Newcombe 1998, table II, example (a), method 10: 56 of 70 less 48 of 80.
  const auto difference = difference_of(*feedback::statistics::wilson(56, 70), *feedback::statistics::wilson(48, 80));
  EXPECT_NEAR(difference.value, 0.2, 1e-12);
  EXPECT_NEAR(difference.low, 0.0524, 5e-5);
  EXPECT_NEAR(difference.high, 0.3339, 5e-5);
}

TEST(Assistance, WhatWasNotMeasuredIsNotSaid) {
  const std::vector<AidedJudgement> judgements = {{"a", true, true, true, 1}};
  const auto report = assistance_report(judgements);
  EXPECT_FALSE(report.unaided);
  EXPECT_FALSE(report.uplift);
  EXPECT_FALSE(report.over_reliance);
  EXPECT_FALSE(report.seconds_saved);
  EXPECT_TRUE(to_json(report).at("uplift").is_null());
}

TEST(Assistance, GapRecovered) {
  EXPECT_DOUBLE_EQ(performance_gap_recovered(2, 5, 8), 0.5);
  EXPECT_DOUBLE_EQ(performance_gap_recovered(2, 1, 4), -0.5);
  EXPECT_TRUE(std::isnan(performance_gap_recovered(2, 1, 2)));
}

}  // namespace
}  // namespace rlhf::evaluation
