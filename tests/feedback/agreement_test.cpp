#include "rlhf/feedback/agreement.h"

#include <gtest/gtest.h>

#include "rlhf/feedback/collect.h"
#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

double length_is_gold(const std::string&, const std::string& completion) {
  return static_cast<double>(completion.size());
}

TEST(Agreement, WithGoldMatchesTheErrorRate) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db");
  store.publish(questions_of(400));  // "good" against "bad"
  store.publish(question_of("equal", {"aa", "bb"}));
  const auto oracle = make_oracle(length_is_gold, {.error_rate = 0.4});
  answer_all(store, *oracle);
  const auto agreement = agreement_with_gold(store, length_is_gold);
  EXPECT_EQ(agreement.judged, 400);
  EXPECT_NEAR(agreement.share(), 0.8, 0.06);  // half of the 0.4 random picks are right; 3 standard deviations
}

TEST(Agreement, BetweenAnnotatorsWorkedByHand) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db");
  auto question = question_of("q", {"a", "b", "c"});
  question.answers = 3;
  store.publish(question);
  const std::vector<std::int64_t> picks = {1, 1, 2};  // of the three pairs of annotators one agrees
  for (std::size_t i = 0; i < picks.size(); ++i) {
    store.answer(*store.lease({"annotator " + std::to_string(i), Source::human}, std::chrono::seconds(60)),
                 Comparison{.best = picks[i]});
  }
  EXPECT_EQ(agreement_between_annotators(store).judged, 3);
  EXPECT_EQ(agreement_between_annotators(store).agreed, 1);
}

}  // namespace
}  // namespace rlhf::feedback
