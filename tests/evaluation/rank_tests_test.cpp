#include "rlhf/evaluation/rank_tests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"

namespace rlhf::evaluation {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using Values = std::vector<double>;

nlohmann::json reference() {
  std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/evaluation/rank_tests.json");
  return nlohmann::json::parse(file);
}

TEST(RankTests, AgreeWithScipy) {
  for (const auto& one : reference().at("cases")) {
    const auto groups = one.at("groups").get<std::vector<Values>>();
    const auto whole = kruskal_wallis(groups);
    EXPECT_NEAR(whole.statistic, one.at("h").get<double>(), 1e-9);
    EXPECT_NEAR(whole.p, one.at("p").get<double>(), 1e-9 * one.at("p").get<double>());
    std::size_t pair = 0;
    for (std::size_t i = 0; i < groups.size(); ++i)
      for (std::size_t j = i + 1; j < groups.size(); ++j, ++pair) {
        const auto found = mann_whitney(groups[i], groups[j]);
        EXPECT_EQ(found.statistic, one.at("u")[pair].get<double>());
        EXPECT_NEAR(found.p, one.at("u_p")[pair].get<double>(), 1e-9 * one.at("u_p")[pair].get<double>());
      }
  }
}

TEST(RankTests, ChiSquareTailsAreScipys) {
  for (const auto& one : reference().at("tails")) {
    const double expected = one[2].get<double>();
    EXPECT_NEAR(chi_square_tail(one[0].get<double>(), one[1].get<std::int64_t>()), expected, 1e-11 * expected) << one;
  }
}

TEST(RankTests, ByHand) {
  EXPECT_THAT(mean_ranks(Values{5, 1, 5, 7}), ElementsAre(2.5, 1, 2.5, 4));
  // Holm: 0.01 * 3, then 0.02 * 2, then 0.5 * 1; a later one is never below an earlier one.
  EXPECT_THAT(holm(Values{0.5, 0.01, 0.02}), ElementsAre(0.5, DoubleNear(0.03, 1e-12), DoubleNear(0.04, 1e-12)));
  EXPECT_THAT(holm(Values{0.02, 0.021}), ElementsAre(0.04, 0.04));
  EXPECT_EQ(kruskal_wallis({{1, 1}, {1}}).p, 1.0) << "all are equal";
  EXPECT_EQ(mann_whitney(Values{1, 1}, Values{1}).p, 1.0);
  EXPECT_THROW(kruskal_wallis({{1.0}}), Error);
  EXPECT_THROW(kruskal_wallis({{1.0}, {}}), Error);
}

}  // namespace
}  // namespace rlhf::evaluation
