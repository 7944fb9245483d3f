// Who is right, and by how much: Dawid-Skene, Bradley-Terry with reliability and side, the plain vote.
#include "rlhf/feedback/statistics/reliability.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/core/seed.h"
#include "rlhf/feedback/statistics/consensus.h"
#include "rlhf/feedback/statistics/dawid_skene.h"

namespace rlhf::feedback::statistics {
namespace {

using nlohmann::json;

json reference(const char* name) {
  return json::parse(std::ifstream(RLHF_SOURCE_DIR "/tests/reference/feedback/agreement_numbers.json"))[name];
}

std::vector<Given> answers_of(const json& rows) {
  std::vector<Given> answers;
  for (const auto& row : rows) answers.push_back({row[0], row[1], row[2].get<double>()});
  return answers;
}

TEST(DawidSkene, MatchesThePackage) {
  const auto expected = reference("dawid_skene");
  const auto answers = answers_of(expected["answers"]);
  const auto model = dawid_skene(answers, 5, 300, 3, {.rounds = 5000, .tolerance = 1e-13, .smoothing = 0.0});
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(model.share[k], expected["share"][k].get<double>(), 2e-3);
  for (int a = 0; a < 5; ++a)
    for (int k = 0; k < 3; ++k)
      for (int l = 0; l < 3; ++l) EXPECT_NEAR(model.confusion[a][k][l], expected["confusion"][a][k][l].get<double>(), 2e-3);
  for (int item = 0; item < 300; ++item) {
    for (int k = 0; k < 3; ++k) {
      if (expected["posterior"][item][k].is_null()) continue;
      EXPECT_NEAR(model.posterior[item][k], expected["posterior"][item][k].get<double>(), 5e-3) << item;
    }
  }
}

TEST(DawidSkene, BeatsThePlainVoteAndKnowsWhoIsReliable) {
  const auto data = reference("dawid_skene");
  const auto answers = answers_of(data["answers"]);
  const auto model = dawid_skene(answers, 5, 300, 3);
  int by_vote = 0, by_model = 0;
  for (int item = 0; item < 300; ++item) {
    std::vector<int> votes;
    for (const auto& each : answers)
      if (each.item == item) votes.push_back(static_cast<int>(each.value));
    const int truth = data["truth"][item];
    const auto plain = majority(votes);
    by_vote += plain && !plain->tied && plain->category == truth;
    const auto& row = model.posterior[item];
    by_model += std::max_element(row.begin(), row.end()) - row.begin() == truth;
  }
  EXPECT_GT(by_model, by_vote + 20);
  EXPECT_GT(model.accuracy[0], 0.9);  // made with .95, .85, .75, .60, .34
  EXPECT_LT(model.accuracy[4], 0.45);
  for (int a = 1; a < 5; ++a) EXPECT_GT(model.accuracy[a - 1], model.accuracy[a]);
}

TEST(Reliability, MatchesAGeneralOptimiser) {
  const auto expected = reference("reliability");
  std::vector<Judged> answers;
  for (const auto& row : expected["answers"]) answers.push_back({row[0], row[1], row[2], row[3], row[4]});
  const auto fit = fit_reliability(answers, 4, 12);
  for (int i = 0; i < 12; ++i) EXPECT_NEAR(fit.strength[i], expected["strength"][i].get<double>(), 1e-4);
  for (int u = 0; u < 4; ++u) {
    EXPECT_NEAR(fit.reliability[u], expected["reliability"][u].get<double>(), 1e-4);
    EXPECT_NEAR(fit.side[u], expected["side"][u].get<double>(), 1e-4);
  }
}

TEST(Reliability, TellsRandomPickingFromPickingByPlace) {
  Random random(7);
  std::vector<Judged> answers;
  for (int i = 0; i < 900; ++i) {
    const auto one = static_cast<std::int32_t>(random.below(10)), other = static_cast<std::int32_t>(random.below(10));
    if (one == other) continue;
    const double side = random.uniform() < 0.5 ? 1.0 : -1.0;
    const auto annotator = static_cast<std::int32_t>(i % 3);  // 0 is careful, 1 tosses a coin, 2 takes the left one
    const double preferred = annotator == 0   ? (one > other ? 1.0 : 0.0)
                             : annotator == 1 ? (random.uniform() < 0.5 ? 1.0 : 0.0)
                                              : (side > 0 ? 1.0 : 0.0);
    answers.push_back({annotator, one, other, preferred, side});
  }
  const auto fit = fit_reliability(answers, 3, 10);
  EXPECT_GT(fit.reliability[0], 1.5);
  EXPECT_NEAR(fit.reliability[1], 0.0, 0.3);
  EXPECT_NEAR(fit.reliability[2], 0.0, 0.5);
  EXPECT_GT(fit.side[2], 3.0);
  EXPECT_NEAR(fit.side[0], 0.0, 0.8);
  EXPECT_GT(fit.strength[9], fit.strength[0] + 1.0);
}

TEST(Consensus, NamesTiesAndSplits) {
  EXPECT_FALSE(majority({}));
  const std::vector<int> clear = {1, 1, 0}, even = {0, 1, 1, 0}, alike = {2, 2, 2};
  EXPECT_EQ(majority(clear)->category, 1);
  EXPECT_NEAR(majority(clear)->share, 2.0 / 3.0, 1e-12);
  EXPECT_FALSE(majority(clear)->tied);
  EXPECT_TRUE(majority(even)->tied);
  EXPECT_DOUBLE_EQ(split_of(even), 1.0);
  EXPECT_DOUBLE_EQ(split_of(alike), 0.0);
  EXPECT_NEAR(split_of(clear), 0.918296, 1e-6);  // -2/3 log2 2/3 - 1/3 log2 1/3
}

}  // namespace
}  // namespace rlhf::feedback::statistics
