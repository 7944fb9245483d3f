#include "rlhf/rewards/lexicon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "rlhf/core/error.h"
#include "rlhf/rewards/packaged_file.h"
#include "tests/rewards/completions.h"

namespace rlhf::rewards {
namespace {

const std::map<std::string, double> list = {
    {"good", 3}, {"bad", -3}, {"fun", 4}, {"no fun", -3}, {"not good", -2}, {"no", -1}, {"naïve", -2}, {"can't stand", -3}};

TEST(Lexicon, MeanSumAndShareWorkedByHand) {
  const Lexicon lexicon(list);
  const std::string text = "Good food, good view, bad chairs.";  // 3 + 3 - 3 over 6 words
  EXPECT_DOUBLE_EQ(lexicon.read(text).value, 1.0);
  EXPECT_DOUBLE_EQ(lexicon.read(text, {.total = LexiconTotal::sum}).value, 3.0);
  EXPECT_DOUBLE_EQ(lexicon.read(text, {.total = LexiconTotal::share, .scale = 2.0}).value, 1.0);
  EXPECT_EQ(lexicon.read(text).found, 3);
  EXPECT_EQ(lexicon.read(text).words, 6);
}

TEST(Lexicon, RepeatingAGoodWordDoesNotRaiseTheMean) {
  const Lexicon lexicon(list);
  EXPECT_EQ(lexicon.read("good").value, lexicon.read("good good good good").value);
}

TEST(Lexicon, NegationReachesThreeWordsAndTurnsHalfway) {
  const Lexicon lexicon(list);
  EXPECT_DOUBLE_EQ(lexicon.read("never a good").value, -1.5);
  EXPECT_DOUBLE_EQ(lexicon.read("never such a good").value, -1.5);
  EXPECT_DOUBLE_EQ(lexicon.read("never has such a good").value, 3.0);
  EXPECT_DOUBLE_EQ(lexicon.read("isn\u2019t bad").value, 1.5);
  EXPECT_DOUBLE_EQ(lexicon.read("never a good", {.negation_window = 0}).value, 3.0);
  EXPECT_EQ(lexicon.read("not bad, not fun").negated, 2);
}

TEST(Lexicon, TheLongestPhraseWins) {
  const Lexicon lexicon(list);
  EXPECT_DOUBLE_EQ(lexicon.read("no fun").value, -3.0);
  EXPECT_DOUBLE_EQ(lexicon.read("I can\u2019t stand it").value, -3.0);
  EXPECT_DOUBLE_EQ(lexicon.read("no bad").value, 1.5);  // "no" alone only turns the next word round
}

TEST(Lexicon, ReadsQuotesHyphensAndLettersBeyondAscii) {
  const Lexicon lexicon(list);
  EXPECT_DOUBLE_EQ(lexicon.read("“Good”").value, 3.0);
  EXPECT_DOUBLE_EQ(lexicon.read("'good'—").value, 3.0);
  EXPECT_DOUBLE_EQ(lexicon.read("NAÏVE").value, -2.0);
  EXPECT_DOUBLE_EQ(lexicon.read("goodness").value, 0.0);
  EXPECT_DOUBLE_EQ(lexicon.read("").value, 0.0);
}

TEST(Lexicon, FilesAreReadLineByLine) {
  const std::string folder = testing::TempDir();
  std::ofstream(folder + "/list.txt") << "# mine\ngood\t3\nnot bad\t1.5\n";
  EXPECT_EQ(Lexicon::load(folder + "/list.txt").size(), 2u);
  EXPECT_DOUBLE_EQ(Lexicon::load(folder + "/list.txt").read("not bad").value, 1.5);
  std::ofstream(folder + "/wrong.txt") << "good\t3\nbad -3\n";
  EXPECT_THAT([&] { Lexicon::load(folder + "/wrong.txt"); },
              testing::Throws<Error>(testing::Property(&Error::where, testing::EndsWith("wrong.txt:2"))));
}

TEST(AfinnJudge, IsBoundedAndKnowsItsWholeList) {
  try {
    packaged_file("afinn", "AFINN-en-165.txt");
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_EQ(Lexicon::load(packaged_file("afinn", "AFINN-en-165.txt")).size(), 3382u);
  const auto scores = Answers({"What an outstanding, wonderful day", "A catastrophic, horrible mess", "The cat sat.",
                               "wonderful wonderful wonderful"})
                          .scored_by(afinn_judge());
  EXPECT_DOUBLE_EQ(scores[0].value, 0.2 * (5 + 4) / 2);
  EXPECT_LT(scores[1].value, -0.4);
  EXPECT_EQ(scores[2].value, 0.0);
  EXPECT_DOUBLE_EQ(scores[3].value, 0.8);
}

}  // namespace
}  // namespace rlhf::rewards
