#include "rlhf/algorithms/minibatch.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "rlhf/algorithms/prompt_stream.h"
#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

using testing::ElementsAre;

TEST(Minibatch, EvenPiecesDifferByOneAtMost) {
  const std::vector<std::int64_t> items{9, 8, 7, 6, 5};
  EXPECT_THAT(split_evenly(items, 2), ElementsAre(ElementsAre(9, 8), ElementsAre(7, 6, 5)));
  EXPECT_THROW(split_evenly(items, 6), Error);
}

TEST(Minibatch, TokenBudgetIsKeptExceptForOneLongItem) {
  const std::vector<std::int64_t> items{0, 1, 2, 3}, lengths{3, 4, 20, 2};
  EXPECT_THAT(split_by_tokens(items, lengths, 8), ElementsAre(ElementsAre(0, 1), ElementsAre(2), ElementsAre(3)));
}

TEST(Minibatch, OrderIsAFunctionOfTheKey) {
  EXPECT_EQ(shuffled(50, 3), shuffled(50, 3));
  EXPECT_NE(shuffled(50, 3), shuffled(50, 4));
  auto sorted = shuffled(50, 3);
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < 50; ++i) EXPECT_EQ(sorted[i], i);
}

std::vector<data::Prompt> numbered(int count) {
  std::vector<data::Prompt> prompts(count);
  for (int i = 0; i < count; ++i) prompts[i].id = std::to_string(i), prompts[i].ids = {i};
  return prompts;
}

TEST(PromptStream, GivesEachPromptOnceAPassAndGoesOnFromItsCursor) {
  PromptStream stream(numbered(5), 1);
  std::vector<std::string> ids;
  for (const auto& prompt : stream.next(12)) ids.push_back(prompt.id);
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<std::string> one(ids.begin() + 5 * pass, ids.begin() + 5 * pass + 5);
    EXPECT_THAT(one, testing::UnorderedElementsAre("0", "1", "2", "3", "4"));
  }
  PromptStream resumed(numbered(5), 1);
  resumed.seek(7);
  EXPECT_EQ(resumed.next(1)[0].id, ids[7]);
  EXPECT_EQ(resumed.cursor(), 8);
}

TEST(PromptStream, RefusesNoPromptsAndEmptyOnes) {
  EXPECT_THROW(PromptStream({}, 0), Error);
  EXPECT_THROW(PromptStream({data::Prompt{.id = "x"}}, 0), Error);
}

}  // namespace
}  // namespace rlhf::algorithms
