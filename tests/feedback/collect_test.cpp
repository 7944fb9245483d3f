#include "rlhf/feedback/collect.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "rlhf/feedback/batches.h"
#include "rlhf/feedback/oracle.h"
#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

const Annotator ann{"ann", Source::human};

double length_is_gold(const std::string&, const std::string& completion) {
  return static_cast<double>(completion.size());
}

TEST(Collect, AnswersUntilNothingIsOpen) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db");
  store.publish(questions_of(30));
  const auto oracle = make_oracle(length_is_gold);
  std::int64_t last = 0;
  CollectOptions options;
  options.limit = 10;
  options.progress = [&](std::int64_t answered) { last = answered; };
  EXPECT_EQ(answer_all(store, *oracle, options), 10);
  EXPECT_EQ(last, 10);
  EXPECT_EQ(answer_all(store, *oracle), 20);
  EXPECT_EQ(answer_all(store, *oracle), 0);
  EXPECT_EQ(store.read(30, 1).at(0).annotator.source, Source::simulated);
}

TEST(Collect, AFailingLabelerGivesItsQuestionBack) {
  struct Broken : Labeler {
    Answer answer(const Question&) override { throw std::runtime_error("no idea"); }
  } broken;
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db");
  store.publish(questions_of(1));
  EXPECT_THROW(answer_all(store, broken), std::runtime_error);
  EXPECT_EQ(store.counts().leased, 0);
}

TEST(Labels, RowsHoldTokensAndTheSplit) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db");
  auto heldout = question_of("h", {"worse", "much better", "bad"});
  heldout.split = Split::heldout;
  store.publish({question_of("t", {"good", "better"}), heldout, question_of("r", {"abc"})});
  const auto oracle = make_oracle(length_is_gold);
  answer_all(store, *oracle);
  const auto labels = read_labels(store);
  ASSERT_EQ(labels.train.comparisons.size(), 1u);
  EXPECT_EQ(labels.train.comparisons[0].prompt, (TokenIds{1, 2, 3}));
  EXPECT_EQ(labels.train.comparisons[0].items, (std::vector<TokenIds>{{4, 7}, {6, 7}}));
  EXPECT_EQ(labels.train.comparisons[0].best, 1);
  EXPECT_EQ(labels.train.comparison_events, std::vector<std::int64_t>{4});
  ASSERT_EQ(labels.heldout.comparisons.size(), 1u);
  EXPECT_EQ(labels.heldout.comparisons[0].best, 1);
  ASSERT_EQ(labels.train.ratings.size(), 1u);
  EXPECT_EQ(labels.train.ratings[0].completion, (TokenIds{3, 7}));
  EXPECT_EQ(labels.train.ratings[0].value, 3.0);
  EXPECT_EQ(labels.cursor, 6);
}

TEST(Labels, WhatWasTakenBackIsLeftOutAndReplaysAreExact) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db");
  store.publish(questions_of(3));
  const auto first = store.answer(*store.lease(ann, std::chrono::seconds(60)), Comparison{.best = 0});
  store.answer(*store.lease(ann, std::chrono::seconds(60)), Comparison{.best = 1});
  const auto before = read_labels(store);
  store.undo(ann, first);
  store.answer(*store.lease(ann, std::chrono::seconds(60)), Comparison{.best = 1});  // q0 again
  store.answer(*store.lease(ann, std::chrono::seconds(60)), Skip{});
  const auto after = read_labels(store);
  EXPECT_EQ(before.train.comparison_events, (std::vector<std::int64_t>{4, 5}));
  EXPECT_EQ(after.train.comparison_events, (std::vector<std::int64_t>{5, 7}));
  EXPECT_EQ(after.train.comparisons[1].best, 1);
  EXPECT_EQ(read_labels(store, before.cursor).train.comparison_events, before.train.comparison_events);
  EXPECT_EQ(read_labels(store, before.cursor).cursor, before.cursor);
}

TEST(Labels, ARankingIsAComparisonForEachPairItOrders) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db");
  auto question = question_of("k", {"a", "bb", "ccc", "dddd"});
  question.form = builtin_form("ranking");
  store.publish(question);
  store.answer(*store.lease(ann, std::chrono::seconds(60)), Ranking{{{2}, {0, 3}, {1}}});
  const auto rows = read_labels(store).train.comparisons;
  ASSERT_EQ(rows.size(), 5u);  // 2>0, 2>3, 2>1, 0>1, 3>1; 0 and 3 are tied
  EXPECT_EQ(rows[0].items, (std::vector<TokenIds>{{3, 7}, {1, 7}}));
  EXPECT_EQ(rows[4].items, (std::vector<TokenIds>{{4, 7}, {2, 7}}));
}

TEST(Labels, OnlyTheAnnotatorsAndVersionsAskedFor) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db");
  auto known = question_of("gold", {"a", "b"});
  known.gold = std::make_shared<const Answer>(Comparison{.best = 1});
  auto second = question_of("new guideline", {"a", "b"});
  second.guideline = "2";
  store.publish({question_of("q", {"a", "b"}), second, known});
  for (int i = 0; i < 2; ++i) store.answer(*store.lease(ann, std::chrono::seconds(60)), Comparison{.best = 1});
  LeaseOptions gold{.forms = {}, .gold_share = 1, .required_rounds = {}};
  store.answer(*store.lease(ann, gold), Comparison{.best = 1});
  EXPECT_EQ(read_labels(store).train.comparisons.size(), 2u);  // test questions do not train
  EXPECT_EQ(
      read_labels(store, -1, {.annotators = {}, .not_annotators = {"ann"}, .guidelines = {}}).train.comparisons.size(),
      0u);
  EXPECT_EQ(read_labels(store, -1, {.annotators = {"ann"}, .not_annotators = {}, .guidelines = {"2"}})
                .train.comparisons.size(),
            1u);
}

TEST(Labels, WaitingEndsWithEnoughOrWithTheTime) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db");
  store.publish(questions_of(3));
  const auto oracle = make_oracle(length_is_gold);
  EXPECT_TRUE(wait_for_labels(store, 1, std::chrono::milliseconds(30)).train.comparisons.empty());
  answer_all(store, *oracle);
  EXPECT_EQ(wait_for_labels(store, 3, std::chrono::seconds(10)).train.comparisons.size(), 3u);
}

}  // namespace
}  // namespace rlhf::feedback
