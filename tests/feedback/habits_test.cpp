// Habits of annotators: place, test questions, time.
#include "rlhf/feedback/statistics/habits.h"

#include <gtest/gtest.h>

#include <fstream>

#include "rlhf/core/seed.h"

namespace rlhf::feedback::statistics {
namespace {

TEST(Wilson, MatchesThePackage) {
  const auto cases = nlohmann::json::parse(
      std::ifstream(RLHF_SOURCE_DIR "/tests/reference/feedback/agreement_numbers.json"))["wilson"];
  for (const auto& each : cases) {
    const auto interval = wilson(each["yes"], each["n"]);
    EXPECT_NEAR(interval->low, each["interval"][0].get<double>(), 1e-9);
    EXPECT_NEAR(interval->high, each["interval"][1].get<double>(), 1e-9);
  }
  EXPECT_FALSE(wilson(0, 0));
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-9);
  EXPECT_LT(wilson(7, 10, 0.9)->high, wilson(7, 10)->high);
  EXPECT_TRUE(to_json(std::nullopt).is_null());
}

TEST(FairCoin, IsExact) {
  EXPECT_DOUBLE_EQ(fair_coin(0, 0), 1.0);
  EXPECT_NEAR(fair_coin(0, 5), 2.0 / 32.0, 1e-12);
  EXPECT_NEAR(fair_coin(9, 10), 22.0 / 1024.0, 1e-12);  // 2 (1 + 10) of 1024
  EXPECT_DOUBLE_EQ(fair_coin(5, 10), 1.0);
}

/// The number of answers after which picking by place is noticed; 0 when it is not within `most`.
int noticed_after(double left_share, int most, std::uint64_t seed) {
  Random random(seed);
  Tally left;
  for (int i = 1; i <= most; ++i) {
    left.add(random.uniform() < left_share);
    if (picks_by_place(left)) return i;
  }
  return 0;
}

TEST(PositionBias, FindsWhoAlwaysPicksOneSideWithinFortyAnswers) {
  EXPECT_EQ(noticed_after(1.0, 40, 1), 18);  // 2^-17 < 1e-5
  EXPECT_EQ(noticed_after(0.0, 40, 1), 18);
  int found = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) found += noticed_after(0.95, 40, seed) > 0;
  EXPECT_GT(found, 190);
}

TEST(PositionBias, LeavesHonestAnnotatorsAlone) {
  int accused = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) accused += noticed_after(0.5, 100, seed) > 0;
  EXPECT_LT(accused, 25);  // 5 % in a hundred answers, looked at after each
}

TEST(Gold, WarnsPausesAndRevokesByTheWindow) {
  Tally right;
  for (int i = 0; i < 9; ++i) right.add(false);
  EXPECT_EQ(judge_gold(right), GoldVerdict::good);  // too few to say
  right.add(false);
  EXPECT_EQ(judge_gold(right), GoldVerdict::revoke);
  for (int i = 0; i < 50; ++i) right.add(true);
  EXPECT_EQ(judge_gold(right), GoldVerdict::good);  // the window has forgotten them; the overall share has not
  EXPECT_NEAR(right.share()->value, 50.0 / 60.0, 1e-12);
  for (int i = 0; i < 12; ++i) right.add(false);
  EXPECT_EQ(judge_gold(right), GoldVerdict::warn);
  for (int i = 0; i < 8; ++i) right.add(false);
  EXPECT_EQ(judge_gold(right), GoldVerdict::pause);
}

TEST(Fatigue, LaysSessionsOverEachOther) {
  std::vector<Timed> answers;
  for (int session = 0; session < 2; ++session) {
    for (int i = 0; i < 60; ++i)  // one answer a minute, slower and wrong in the second half hour
      answers.push_back({.at = 1e9 + session * 7200.0 + i * 60.0, .active_seconds = i < 30 ? 10.0 : 20.0, .right = i < 30});
  }
  const auto curve = fatigue_curve(answers);
  ASSERT_EQ(curve.size(), 4u);
  EXPECT_EQ(curve[0].answers, 30);  // 15 of each session
  EXPECT_DOUBLE_EQ(*curve[0].seconds, 10.0);
  EXPECT_DOUBLE_EQ(*curve[3].seconds, 20.0);
  EXPECT_DOUBLE_EQ(curve[1].right->value, 1.0);
  EXPECT_DOUBLE_EQ(curve[2].right->value, 0.0);
  EXPECT_DOUBLE_EQ(curve[3].minutes, 45.0);
}

TEST(Time, MedianAndCost) {
  std::vector<double> none, odd = {3, 1, 2}, even = {4, 1, 3, 2};
  EXPECT_FALSE(median(none));
  EXPECT_DOUBLE_EQ(*median(odd), 2.0);
  EXPECT_DOUBLE_EQ(*median(even), 2.5);
  const auto cost = cost_estimate(1000, 3, 36, 20);
  EXPECT_DOUBLE_EQ(cost.hours, 30.0);
  EXPECT_DOUBLE_EQ(cost.money, 600.0);
  EXPECT_DOUBLE_EQ(plausible_seconds(90), 3.0);
}

}  // namespace
}  // namespace rlhf::feedback::statistics
