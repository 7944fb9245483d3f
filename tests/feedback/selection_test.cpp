#include "rlhf/feedback/selection.h"

#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/feedback/store.h"
#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

double number_of(const Question& question) { return std::stod(question.id.substr(1)); }

/// The order in which one annotator is asked everything.
std::vector<std::string> asked(Store& store) {
  std::vector<std::string> ids;
  while (const auto assignment = store.lease({"ann", Source::human}, std::chrono::seconds(60)))
    ids.push_back(assignment->question.id);
  store.release_all({"ann", Source::human});
  return ids;
}

TEST(Selection, TheHighestScoreIsAskedFirst) {
  ScratchFolder folder;
  auto store = Store::open((folder / "a.db").string());
  store.publish(questions_of(5));
  EXPECT_EQ(prioritise(store, number_of, {.random_share = 0}), 5);
  EXPECT_EQ(asked(store), (std::vector<std::string>{"q4", "q3", "q2", "q1", "q0"}));
  EXPECT_EQ(prioritise(store, number_of, {.random_share = 0}), 0);  // nothing would change, and nothing is logged
  prioritise(store, [](const Question& question) { return -number_of(question); }, {.random_share = 0});
  EXPECT_EQ(asked(store).front(), "q0");
}

TEST(Selection, TheRandomShareIsUniform) {
  int low_half_first = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    ScratchFolder folder;
    auto store = Store::open((folder / "a.db").string());
    store.publish(questions_of(10));
    prioritise(store, number_of, {.random_share = 1, .seed = seed});
    low_half_first += store.lease({"ann", Source::human}, std::chrono::seconds(60))->question.id < "q5" ? 1 : 0;
  }
  EXPECT_GT(low_half_first, 8);  // of 40; 20 expected, five standard deviations are 16
  EXPECT_LT(low_half_first, 32);
}

TEST(Selection, GoldAndQualificationKeepTheirPlaceAndBadScoresAreRefused) {
  ScratchFolder folder;
  auto store = Store::open((folder / "a.db").string());
  auto gold = question_of("q7", {"a", "b"});
  gold.gold = std::make_shared<const Answer>(Comparison{.best = 1});
  store.publish({gold, question_of("q1", {"a", "b"})});
  EXPECT_EQ(prioritise(store, number_of, {.random_share = 0}), 1);
  EXPECT_EQ(error_of([&] { prioritise(store, number_of, {.random_share = 1.5}); }).category(), Category::usage);
  const auto no_number = [](const Question&) { return std::nan(""); };
  EXPECT_EQ(error_of([&] { prioritise(store, no_number); }).category(), Category::check);
}

}  // namespace
}  // namespace rlhf::feedback
