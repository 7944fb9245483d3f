#include "rlhf/evaluation/over_seeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"

namespace rlhf::evaluation {
namespace {

using testing::ElementsAre;
using Values = std::vector<double>;

TEST(OverSeeds, TheMiddleHalfByHand) {
  EXPECT_DOUBLE_EQ(interquartile_mean(Values{100, 1, 2, -100}), 1.5);        // one of four is cut at each end
  EXPECT_DOUBLE_EQ(interquartile_mean(Values{9, 1, 2}), 4.0);                // none of three
  EXPECT_DOUBLE_EQ(interquartile_mean(Values{0, 0, 1, 2, 3, 4, 50, 90}), 2.5);
  EXPECT_TRUE(std::isnan(interquartile_mean({})));
}

TEST(OverSeeds, AgreesWithScipyAndNumpy) {
  std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/evaluation/over_seeds.json");
  for (const auto& one : nlohmann::json::parse(file)) {
    const auto found = interquartile_mean_over_tasks(one.at("tasks").get<std::vector<Values>>(), {.resamples = 40000});
    EXPECT_NEAR(found.mean, one.at("mean").get<double>(), 1e-12);
    // Two bootstraps of 40,000 resamples each: their quantiles differ by a hundredth of the spread.
    const double spread = one.at("high").get<double>() - one.at("low").get<double>();
    EXPECT_NEAR(found.low, one.at("low").get<double>(), 0.02 * spread);
    EXPECT_NEAR(found.high, one.at("high").get<double>(), 0.02 * spread);
  }
}

TEST(OverSeeds, ProfilesAndImprovementByHand) {
  EXPECT_THAT(performance_profile(Values{1, 2, 3, 4}, Values{0, 2, 3.5, 4}), ElementsAre(1.0, 0.5, 0.25, 0.0));
  EXPECT_DOUBLE_EQ(probability_of_improvement(Values{1, 3}, Values{2, 3}), (0 + 0 + 1 + 0.5) / 4);
}

TEST(OverSeeds, OneRunHasNoWidthAndNoneIsAnError) {
  const auto one = mean_over_runs(Values{3.5});
  EXPECT_EQ(one.low, 3.5);
  EXPECT_EQ(one.high, 3.5);
  EXPECT_THROW(mean_over_runs({}), Error);
  EXPECT_THROW(interquartile_mean_over_tasks({{1.0}, {}}), Error);
}

}  // namespace
}  // namespace rlhf::evaluation
