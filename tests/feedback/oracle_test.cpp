#include "rlhf/feedback/oracle.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

double length_is_gold(const std::string&, const std::string& completion) {
  return static_cast<double>(completion.size());
}

Comparison compare(Labeler& labeler, const Question& question) {
  return std::get<Comparison>(labeler.answer(question).said);
}

/// How often each item is picked over many questions with the same items.
std::array<double, 4> pick_shares(const OracleConfig& config, const std::vector<std::string>& words,
                                  int questions = 4000) {
  const auto oracle = make_oracle(length_is_gold, config);
  std::array<double, 4> shares{};
  for (int i = 0; i < questions; ++i)
    shares[static_cast<std::size_t>(compare(*oracle, question_of("q" + std::to_string(i), words)).best)] +=
        1.0 / questions;
  return shares;
}

TEST(Oracle, PicksTheBest) {
  const auto oracle = make_oracle(length_is_gold);
  EXPECT_EQ(compare(*oracle, question_of("q", {"a", "abc", "ab", ""})).best, 1);
  EXPECT_EQ(compare(*oracle, question_of("q", {"a", "abc"})).best, 1);
}

TEST(Oracle, EqualsAreDecidedAtRandom) {
  const auto shares = pick_shares({}, {"ab", "a", "cd", "b"});
  EXPECT_NEAR(shares[0], 0.5, 0.024);  // 3 standard deviations
  EXPECT_EQ(shares[1] + shares[3], 0.0);
}

TEST(Oracle, MistakesAreRandomPicks) {
  // 0.7 of the answers are right, and a quarter of the other 0.3 happens to be.
  const auto shares = pick_shares({.error_rate = 0.3}, {"a", "ab", "abc", "abcd"});
  EXPECT_NEAR(shares[3], 0.775, 0.02);
  EXPECT_NEAR(shares[0], 0.075, 0.0125);
}

TEST(Oracle, BoltzmannRational) {
  // Gold 1 and 2, rationality 0.5: P(second) = sigmoid(0.5) = 0.622459.
  EXPECT_NEAR(pick_shares({.rationality = 0.5}, {"a", "ab"})[1], 0.622459, 0.023);
  // Rationality 0 is a coin; gold far apart does not overflow.
  EXPECT_NEAR(pick_shares({.rationality = 0.0}, {"a", "ab"})[1], 0.5, 0.024);
  EXPECT_NEAR(pick_shares({.rationality = 1e6}, {"a", std::string(3000, 'x')}, 100)[1], 1.0, 1e-9);
}

TEST(Oracle, TiesOnlyWherePairsAllowThem) {
  const auto oracle = make_oracle(length_is_gold, {.tie_threshold = 1.0});
  auto question = question_of("q", {"a", "ab"});
  EXPECT_FALSE(compare(*oracle, question).tie);
  question.form.parts[0].allow_tie = true;
  EXPECT_TRUE(compare(*oracle, question).tie);
  auto far = question_of("q", {"a", "abc"});
  far.form.parts[0].allow_tie = true;
  EXPECT_FALSE(compare(*oracle, far).tie);
  EXPECT_EQ(compare(*oracle, far).best, 1);
}

TEST(Oracle, RatesWithinTheScale) {
  const auto oracle = make_oracle(length_is_gold);
  const auto rated = [&](const std::string& word) {
    return std::get<Rating>(oracle->answer(question_of("q", {word})).said).values.at(0).value;
  };
  EXPECT_EQ(rated("abc"), 3.0);
  EXPECT_EQ(rated(std::string(50, 'x')), 7.0);
}

TEST(Oracle, RanksWithTiesWithinTheThreshold) {
  auto question = question_of("q", {"ab", "abcdef", "abc", "abcde"});
  question.form = builtin_form("ranking");
  const auto order = [&](double threshold) {
    return std::get<Ranking>(make_oracle(length_is_gold, {.tie_threshold = threshold})->answer(question).said).groups;
  };
  EXPECT_EQ(order(0), (std::vector<std::vector<int>>{{1}, {3}, {2}, {0}}));
  EXPECT_EQ(order(1), (std::vector<std::vector<int>>{{1, 3}, {2, 0}}));
}

TEST(Oracle, SkipsWhatGoldCannotAnswer) {
  auto question = question_of("q", {"a", "ab"});
  question.form = builtin_form("gophercite");  // judges evidence too
  const auto answer = make_oracle(length_is_gold)->answer(question);
  EXPECT_EQ(std::get<Skip>(answer.said).reason, "a simulated labeler does not judge_evidence");
  question.form = builtin_form("webgpt");  // its further parts are optional
  EXPECT_EQ(std::get<Comparison>(make_oracle(length_is_gold)->answer(question).said).best, 1);
}

TEST(Oracle, AnswersDependOnSeedAndQuestionOnly) {
  const OracleConfig config{.error_rate = 0.5, .seed = 11};
  const auto one = make_oracle(length_is_gold, config), other = make_oracle(length_is_gold, config);
  const auto reseeded = make_oracle(length_is_gold, {.error_rate = 0.5, .seed = 12});
  int differ = 0;
  for (int i = 199; i >= 0; --i)
    other->answer(question_of("warm" + std::to_string(i), {"a", "ab", "b"}));  // history must not count
  for (int i = 0; i < 200; ++i) {
    const auto question = question_of("q" + std::to_string(i), {"a", "ab", "b"});
    EXPECT_EQ(compare(*one, question).best, compare(*other, question).best);
    differ += compare(*one, question).best != compare(*reseeded, question).best ? 1 : 0;
  }
  EXPECT_GT(differ, 40);
}

TEST(Oracle, BadGoldAndSettings) {
  const auto broken = make_oracle([](const std::string&, const std::string&) { return std::nan(""); });
  EXPECT_EQ(error_of([&] { broken->answer(question_of("q", {"a", "b"})); }).what(),
            std::string("question q: the gold function gave nan; a finite number was expected."));
  EXPECT_EQ(error_of([] { make_oracle(length_is_gold, {.error_rate = 1.5}); }).where(), "error_rate");
  EXPECT_EQ(error_of([] { make_oracle(length_is_gold, {.rationality = -1.0}); }).where(), "rationality");
}

}  // namespace
}  // namespace rlhf::feedback
