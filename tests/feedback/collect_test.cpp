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
    Feedback answer(const Question&) override { throw std::runtime_error("no idea"); }
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
  ASSERT_EQ(labels.train.size(), 1u);
  EXPECT_EQ(labels.train[0].prompt, (TokenIds{1, 2, 3}));
  EXPECT_EQ(labels.train[0].items, (std::vector<TokenIds>{{4, 7}, {6, 7}}));
  EXPECT_EQ(labels.train[0].best, 1);
  EXPECT_EQ(labels.train_events, std::vector<std::int64_t>{4});
  ASSERT_EQ(labels.heldout.size(), 1u);
  EXPECT_EQ(labels.heldout[0].best, 1);
  ASSERT_EQ(labels.train_ratings.size(), 1u);
  EXPECT_EQ(labels.train_ratings[0].completion, (TokenIds{3, 7}));
  EXPECT_EQ(labels.train_ratings[0].value, 3.0);
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
  EXPECT_EQ(before.train_events, (std::vector<std::int64_t>{4, 5}));
  EXPECT_EQ(after.train_events, (std::vector<std::int64_t>{5, 7}));
  EXPECT_EQ(after.train[1].best, 1);
  EXPECT_EQ(read_labels(store, before.cursor).train_events, before.train_events);
  EXPECT_EQ(read_labels(store, before.cursor).cursor, before.cursor);
}

TEST(Labels, WaitingEndsWithEnoughOrWithTheTime) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db");
  store.publish(questions_of(3));
  const auto oracle = make_oracle(length_is_gold);
  EXPECT_TRUE(wait_for_labels(store, 1, std::chrono::milliseconds(30)).train.empty());
  answer_all(store, *oracle);
  EXPECT_EQ(wait_for_labels(store, 3, std::chrono::seconds(10)).train.size(), 3u);
}

}  // namespace
}  // namespace rlhf::feedback
