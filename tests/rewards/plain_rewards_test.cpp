// Length, patterns, sums of rewards, the scale of reward models, and the table of names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/rewards/combine.h"
#include "rlhf/rewards/length.h"
#include "rlhf/rewards/regex.h"
#include "rlhf/rewards/standardized.h"
#include "rlhf/rewards/table.h"
#include "tests/rewards/completions.h"

namespace rlhf::rewards {
namespace {

using testing::HasSubstr;
using testing::Property;
using testing::Throws;

std::vector<double> values(const std::vector<Score>& scores) {
  std::vector<double> result;
  for (const auto& score : scores) result.push_back(score.value);
  return result;
}

TEST(Length, CountsTokensWordsAndCharacters) {
  const Answers answers({"été  là", ""});
  EXPECT_THAT(values(answers.scored_by(length_reward())), testing::ElementsAre(10, 0));  // the helper: a token a byte
  EXPECT_THAT(values(answers.scored_by(length_reward({.unit = LengthUnit::words}))), testing::ElementsAre(2, 0));
  EXPECT_THAT(values(answers.scored_by(length_reward({.unit = LengthUnit::characters}))), testing::ElementsAre(7, 0));
}

TEST(Length, ATargetIsBestAndFarIsMinusOne) {
  const Answers answers({"aaaa", "aa", "aaaaaa", "aaaaaaaaaaaaaaaaaaaa"});
  EXPECT_THAT(values(answers.scored_by(length_reward({.target = 4}))), testing::ElementsAre(1.0, 0.5, 0.5, -1.0));
  EXPECT_THAT([] { length_reward({.target = 0}); }, Throws<Error>(Property(&Error::where, HasSubstr("length.target"))));
}

TEST(Regex, SearchFullAndCount) {
  const Answers answers({"a cat, a Cat", "cat", ""});
  EXPECT_THAT(values(answers.scored_by(regex_reward({.pattern = "cat"}))), testing::ElementsAre(1, 1, 0));
  EXPECT_THAT(values(answers.scored_by(regex_reward({.pattern = "cat", .mode = RegexMode::full, .miss = -1}))),
              testing::ElementsAre(-1, 1, -1));
  EXPECT_THAT(values(answers.scored_by(regex_reward({.pattern = "cat", .mode = RegexMode::count, .ignore_case = true, .match = 0.5}))),
              testing::ElementsAre(1.0, 0.5, 0.0));
}

TEST(Regex, EmptyMatchesEnd) {
  EXPECT_THAT(values(Answers({"xx"}).scored_by(regex_reward({.pattern = "y*", .mode = RegexMode::count}))), testing::ElementsAre(3));
}

TEST(Regex, AWrongPatternIsExplained) {
  EXPECT_THAT([] { regex_reward({.pattern = "(a"}); }, Throws<Error>(Property(&Error::problem, HasSubstr("missing )"))));
  EXPECT_THAT([] { regex_reward({.pattern = ""}); }, Throws<Error>(Property(&Error::problem, HasSubstr("empty"))));
}

TEST(Combine, SumsWithWeightsAndKeepsEveryPart) {
  const auto reward = combine({{"cats", 2.0, regex_reward({.pattern = "cat"})}, {"size", -0.1, length_reward()}});
  const auto scores = Answers({"cat", "do"}).scored_by(reward);
  EXPECT_DOUBLE_EQ(scores[0].value, 2.0 - 0.3);
  EXPECT_DOUBLE_EQ(scores[1].value, -0.2);
  EXPECT_EQ(scores[0].parts, (std::map<std::string, double>{{"cats", 1}, {"cats/matches", 1}, {"size", 3}, {"size/length", 3}}));
}

TEST(Combine, RefusesWhatCannotBeASum) {
  const auto cats = regex_reward({.pattern = "cat"});
  EXPECT_THROW(combine({}), Error);
  EXPECT_THAT([&] { combine({{"a", 1, cats}, {"a", 1, cats}}); }, Throws<Error>(Property(&Error::problem, HasSubstr("twice"))));
  EXPECT_THROW(combine({{"a", std::nan(""), cats}}), Error);
  const RewardFn forgetful = [](auto, auto) { return std::vector<Score>{}; };
  EXPECT_THAT([&] { Answers({"x"}).scored_by(combine({{"forgetful", 1, forgetful}})); },
              Throws<Error>(Property(&Error::where, "rewards.forgetful")));
}

TEST(Standardized, WorkedByHand) {
  const std::vector<double> head = {1, 3, 5, 7};  // mean 4, population variance 5
  const auto scale = Standardized::fit(head);
  EXPECT_DOUBLE_EQ(scale.gain, 1 / std::sqrt(5.0));
  EXPECT_DOUBLE_EQ(scale(4), 0.0);
  EXPECT_DOUBLE_EQ(scale(7), 3 / std::sqrt(5.0));
  const auto shifted = Standardized::fit(head, 10.0, 2.0);
  EXPECT_DOUBLE_EQ(shifted(4), 10.0);
  EXPECT_DOUBLE_EQ(shifted.gain, 2 / std::sqrt(5.0));
}

TEST(Standardized, FittingItsOwnOutputChangesNothing) {
  std::vector<double> scores = {0.3, -2.0, 0.9, 4.4};
  const auto first = Standardized::fit(scores);
  for (auto& score : scores) score = first(score);
  const auto second = Standardized::fit(scores);
  EXPECT_NEAR(second.gain, 1.0, 1e-12);
  EXPECT_NEAR(second.bias, 0.0, 1e-12);
}

TEST(Standardized, RefusesScoresWithoutASpread) {
  EXPECT_THROW(Standardized::fit(std::vector<double>{1.0}), Error);
  EXPECT_THAT([] { Standardized::fit(std::vector<double>{2, 2, 2}); }, Throws<Error>(Property(&Error::problem, HasSubstr("are 2"))));
  EXPECT_THROW(Standardized::fit(std::vector<double>{1, INFINITY}), Error);
}

TEST(RewardTable, MakesARewardFromSettings) {
  const auto kind = find_reward(builtin_rewards(), "regex");
  load_toml_text(*kind, "pattern = \"cat\"\nmode = \"count\"\nmatch = 3.0\n", "test");
  EXPECT_THAT(values(Answers({"cat cat"}).scored_by(kind->make())), testing::ElementsAre(6));
}

TEST(RewardTable, AUserAddsOne) {
  struct Shout : RewardKind {
    double weight = 1;
    void fields(Fields& f) override { f.field("weight", weight, "for each exclamation mark"); }
    RewardFn make() const override { return regex_reward({.pattern = "!", .mode = RegexMode::count, .match = weight}); }
  };
  auto table = builtin_rewards();
  table["shout"] = [] { return std::make_unique<Shout>(); };
  EXPECT_THAT(values(Answers({"hey!!"}).scored_by(find_reward(table, "shout")->make())), testing::ElementsAre(2));
}

TEST(RewardTable, AnUnknownNameGetsAHint) {
  EXPECT_THAT([] { find_reward(builtin_rewards(), "vadar"); }, Throws<Error>(Property(&Error::fix, HasSubstr("'vader'"))));
}

}  // namespace
}  // namespace rlhf::rewards
