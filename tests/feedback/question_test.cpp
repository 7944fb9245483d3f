#include "rlhf/feedback/question.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/core/scratch_folder.h"

namespace rlhf::feedback {
namespace {

std::vector<data::Completion> completions(int count, int first = 0) {
  std::vector<data::Completion> made(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    auto& each = made[static_cast<std::size_t>(i)];
    each.sample = first + i;
    each.policy_version = 3;
    each.ids = {10 + i};
    each.text = "text " + std::to_string(i);
  }
  return made;
}

data::Prompt prompt(std::string id) {
  data::Prompt made;
  made.id = std::move(id);
  return made;
}

TEST(Ask, FormFollowsTheNumberOfItems) {
  const Origin origin{.run = "run", .stage = "labels", .seed = 1, .heldout_share = 0, .guideline = "7"};
  EXPECT_EQ(ask(origin, prompt("p"), completions(1)).form.name, "rating");
  EXPECT_EQ(ask(origin, prompt("p"), completions(2)).form.name, "pair");
  const auto four = ask(origin, prompt("p"), completions(4, 8));
  EXPECT_EQ(four.form.name, "best_of_n");
  EXPECT_EQ(four.id, "run/labels/v3/p/8");
  EXPECT_EQ(four.items.at(3).text, "text 3");
  EXPECT_EQ(four.items.at(3).sample, 11);
  EXPECT_EQ(four.guideline, "7");
  validate(four);
  EXPECT_EQ(error_of([&] { ask(origin, prompt("p"), {}); }).problem(), "there is no completion to ask about");
}

TEST(Ask, AllQuestionsOnOnePromptAreOnOneSide) {
  const Origin origin{.run = "run", .stage = "labels", .seed = 1, .heldout_share = 0.5, .guideline = ""};
  int heldout = 0;
  for (int i = 0; i < 200; ++i) {
    const auto split = ask(origin, prompt("p" + std::to_string(i)), completions(2)).split;
    heldout += split == Split::heldout ? 1 : 0;
    for (int first = 2; first < 8; first += 2)
      EXPECT_EQ(ask(origin, prompt("p" + std::to_string(i)), completions(2, first)).split, split);
  }
  EXPECT_NEAR(heldout / 200.0, 0.5, 0.11);  // 3 standard deviations
}

TEST(Ask, OrderAndSplitFollowFromTheIdAlone) {
  const Origin origin{.run = "run", .stage = "labels", .seed = 1, .heldout_share = 0.25, .guideline = ""};
  int heldout = 0, first_first = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto one = ask(origin, prompt("p" + std::to_string(i)), completions(2)),
               again = ask(origin, prompt("p" + std::to_string(i)), completions(2));
    EXPECT_EQ(one.shown, again.shown);
    EXPECT_EQ(one.split, again.split);
    heldout += one.split == Split::heldout ? 1 : 0;
    first_first += one.shown[0] == 0 ? 1 : 0;
  }
  EXPECT_NEAR(heldout / 2000.0, 0.25, 0.03);  // 3 standard deviations
  EXPECT_NEAR(first_first / 2000.0, 0.5, 0.034);
}

}  // namespace
}  // namespace rlhf::feedback
