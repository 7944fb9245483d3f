#include "rlhf/feedback/store.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

using std::chrono::seconds;
const Annotator ann{"ann", Source::human}, bob{"bob", Source::human};

struct Fixture {
  ScratchFolder folder;
  double now = 1000.0;
  Store store = Store::open(folder / "feedback.db", {.now = [this] { return now; }});
};

TEST(Store, AQuestionIsPublishedOnce) {
  Fixture f;
  EXPECT_EQ(f.store.publish(questions_of(3)), 3);
  EXPECT_EQ(f.store.publish(questions_of(4)), 1);
  EXPECT_EQ(f.store.latest(), 4);
  EXPECT_EQ(f.store.question("q2")->items.at(0).text, "good");
  EXPECT_FALSE(f.store.question("q9"));
  const auto error = error_of([&] { f.store.publish(question_of("q1", {"other", "words"})); });
  EXPECT_EQ(error.category(), Category::check);
  EXPECT_EQ(error.problem(), "a different question is already stored under the id \"q1\"");
}

TEST(Store, ALeaseAnAnswerAnEvent) {
  Fixture f;
  f.store.publish(questions_of(2));
  const auto assignment = f.store.lease(ann, seconds(60));
  ASSERT_TRUE(assignment);
  EXPECT_EQ(assignment->question.id, "q0");
  f.now = 1005.0;
  const auto sequence = f.store.answer(*assignment, Comparison{.best = 1, .strength = 0.5});
  EXPECT_EQ(sequence, 3);
  const auto events = f.store.read(2);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].sequence, 3);
  EXPECT_EQ(events[0].question, "q0");
  EXPECT_EQ(events[0].annotator.name, "ann");
  EXPECT_EQ(events[0].annotator.source, Source::human);
  EXPECT_EQ(events[0].asked_at, 1000.0);
  EXPECT_EQ(events[0].answered_at, 1005.0);
  const auto said = std::get<Comparison>(std::get<Answer>(events[0].body).said);
  EXPECT_EQ(said.best, 1);
  EXPECT_EQ(said.strength, 0.5);
  EXPECT_EQ(std::get<Question>(f.store.read(0, 1).at(0).body).id, "q0");
}

TEST(Store, RepeatingAnAnswerIsAnsweringOnce) {
  Fixture f;
  f.store.publish(questions_of(1));
  const auto assignment = *f.store.lease(ann, seconds(60));
  const auto first = f.store.answer(assignment, Comparison{.best = 1});
  EXPECT_EQ(f.store.answer(assignment, Comparison{.best = 1}), first);
  EXPECT_EQ(f.store.latest(), first);
  EXPECT_EQ(error_of([&] { f.store.answer(assignment, Comparison{.best = 0}); }).problem(),
            "this assignment was answered already, and differently");
}

TEST(Store, AQuestionIsWithOneAnnotatorAtATime) {
  Fixture f;
  f.store.publish(questions_of(2));
  EXPECT_EQ(f.store.lease(ann, seconds(60))->question.id, "q0");
  EXPECT_EQ(f.store.lease(bob, seconds(60))->question.id, "q1");
  EXPECT_FALSE(f.store.lease(bob, seconds(60)));
  EXPECT_EQ(f.store.counts().leased, 2);
  f.now += 61;
  EXPECT_EQ(f.store.counts().leased, 0);
  EXPECT_EQ(f.store.lease(bob, seconds(60))->question.id, "q0");
}

TEST(Store, AReleasedQuestionIsFreeAtOnce) {
  Fixture f;
  f.store.publish(questions_of(1));
  f.store.release(*f.store.lease(ann, seconds(60)));
  EXPECT_TRUE(f.store.lease(bob, seconds(60)));
}

TEST(Store, AnAnnotatorTakesBackOnlyHisOwnLeases) {
  Fixture f;
  f.store.publish(questions_of(2));
  const auto dead = *f.store.lease(ann, seconds(60));
  f.store.lease(bob, seconds(60));
  f.store.release_all(ann);
  EXPECT_EQ(f.store.counts().leased, 1);
  EXPECT_EQ(f.store.lease(ann, seconds(60))->question.id, dead.question.id);
}

TEST(Store, ALateAnswerCountsUnlessSomebodyWasFaster) {
  Fixture f;
  f.store.publish(questions_of(2));
  const auto slow = *f.store.lease(ann, seconds(60));
  f.now += 61;
  f.store.answer(slow, Comparison{.best = 0});  // nobody else had it

  const auto slower = *f.store.lease(ann, seconds(60));
  f.now += 61;
  f.store.answer(*f.store.lease(bob, seconds(60)), Comparison{.best = 0});
  const auto error = error_of([&] { f.store.answer(slower, Comparison{.best = 1}); });
  EXPECT_EQ(error.category(), Category::check);
  EXPECT_EQ(error.problem(), "the lease on \"q1\" ran out and the question has been answered since");
}

TEST(Store, SeveralAnnotatorsMayBeWanted) {
  Fixture f;
  auto question = question_of("q", {"a", "b"});
  question.answers = 2;
  f.store.publish(question);
  f.store.answer(*f.store.lease(ann, seconds(60)), Comparison{.best = 0});
  EXPECT_FALSE(f.store.lease(ann, seconds(60)));  // one's own answer does not count twice
  f.store.answer(*f.store.lease(bob, seconds(60)), Comparison{.best = 0});
  EXPECT_FALSE(f.store.lease({"cat", Source::human}, seconds(60)));
  EXPECT_EQ(f.store.counts().answers, 2);
  EXPECT_EQ(f.store.counts().open, 0);
}

TEST(Store, ASkippedQuestionGoesToSomebodyElse) {
  Fixture f;
  f.store.publish(questions_of(1));
  f.store.answer(*f.store.lease(ann, seconds(60)), Skip{.reason = "cannot judge"});
  EXPECT_FALSE(f.store.lease(ann, seconds(60)));
  EXPECT_TRUE(f.store.lease(bob, seconds(60)));
  EXPECT_EQ(f.store.counts().skips, 1);
  EXPECT_EQ(f.store.counts().open, 1);
}

TEST(Store, UndoOpensTheQuestionAgain) {
  Fixture f;
  f.store.publish(questions_of(1));
  const auto answer = f.store.answer(*f.store.lease(ann, seconds(60)), Comparison{.best = 0});
  EXPECT_EQ(error_of([&] { f.store.undo(bob, answer); }).category(), Category::check);
  const auto undo = f.store.undo(ann, answer);
  EXPECT_EQ(f.store.undo(ann, answer), undo);
  EXPECT_EQ(std::get<Undo>(f.store.read(undo - 1).at(0).body).answer, answer);
  EXPECT_EQ(f.store.counts().undone, 1);
  EXPECT_EQ(f.store.counts().answers, 0);
  EXPECT_EQ(f.store.lease(ann, seconds(60))->question.id, "q0");
}

TEST(Store, AnAnswerMustFitItsQuestion) {
  Fixture f;
  f.store.publish(questions_of(1));
  const auto assignment = *f.store.lease(ann, seconds(60));
  const auto message = [&](const Answer& feedback) {
    return error_of([&] { f.store.answer(assignment, feedback); }).problem();
  };
  EXPECT_EQ(message(Comparison{.best = 2}), "the best item is 2; there are items 0 to 1");
  EXPECT_EQ(message(Comparison{.best = 0, .tie = true}), "a tie was given, but this question allows none");
  EXPECT_EQ(message(Comparison{.best = 0, .strength = 0}), "the strength must be a number above 0");
  EXPECT_EQ(message(Rating{{{.item = 0, .axis = "rating", .value = 3}}}), "a rating was given, a comparison was asked for");
  EXPECT_EQ(f.store.latest(), 1);
}

TEST(Store, WaitsForAnotherThreadAndNoLonger) {
  Fixture f;
  f.store.publish(questions_of(1));
  EXPECT_TRUE(f.store.wait(0, seconds(0)));
  EXPECT_FALSE(f.store.wait(1, std::chrono::milliseconds(50)));
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    Store::open(f.store.location()).publish(question_of("late", {"a", "b"}));
  });
  EXPECT_TRUE(f.store.wait(1, seconds(10)));
  other.join();
}

TEST(Store, ReadsInPagesAndSurvivesReopening) {
  Fixture f;
  f.store.publish(questions_of(25));
  std::set<std::string> seen;
  for (std::int64_t after = 0;;) {
    const auto page = f.store.read(after, 10);
    if (page.empty()) break;
    for (const auto& event : page) seen.insert(event.question);
    after = page.back().sequence;
  }
  EXPECT_EQ(seen.size(), 25u);
  EXPECT_EQ(Store::open(f.store.location(), {.read_only = true}).latest(), 25);
}

TEST(Store, ThreadsShareOneStore) {
  Fixture f;
  f.store.publish(questions_of(40));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&f, name = "thread " + std::to_string(t)] {
      while (const auto assignment = f.store.lease({name, Source::simulated}, seconds(60)))
        f.store.answer(*assignment, Comparison{.best = 0});
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(f.store.counts().answers, 40);
  EXPECT_EQ(f.store.latest(), 80);
}

}  // namespace
}  // namespace rlhf::feedback
