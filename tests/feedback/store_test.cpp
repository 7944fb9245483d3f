#include "rlhf/feedback/store.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "tests/core/scratch_folder.h"
#include "tests/feedback/postgres_server.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

using std::chrono::seconds;
const Annotator ann{"ann", Source::human}, bob{"bob", Source::human};

/// What every store promises, whatever database lies below it.
class StoreOn : public testing::TestWithParam<const char*> {
 public:
  static bool postgres() { return std::string(GetParam()) == "PostgreSQL"; }
  void SetUp() override {
    if (postgres() && !PostgresServer::installed()) GTEST_SKIP() << "postgresql-15 is not installed";
  }
};

struct Fixture {
  ScratchFolder folder;
  double now = 1000.0;
  Store store = Store::open(
      StoreOn::postgres() ? PostgresServer::of_this_program().new_database() : (folder / "feedback.db").string(),
      {.now = [this] { return now; }});
};

TEST_P(StoreOn, AQuestionIsPublishedOnce) {
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

TEST_P(StoreOn, ALeaseAnAnswerAnEvent) {
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

TEST_P(StoreOn, AWithdrawnQuestionIsNotShownAgainToItsHolder) {
  Fixture f;
  f.store.publish(questions_of(2));
  const auto first = *f.store.lease(ann, seconds(60));
  const auto second = *f.store.lease(ann, seconds(60));
  f.store.requeue(first.question.id, {.withdrawn = true, .reason = "wrong prompt"});
  const auto held = f.store.held(ann);
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].id, second.id);
  EXPECT_GT(f.store.answer(first, Comparison{.best = 1}), 0) << "what was under way is not lost";
}

TEST_P(StoreOn, WhetherAPlaceWasSeenIsKnownAmongManyRuns) {
  Fixture f;
  f.store.publish(questions_of(9));
  for (const char* id : {"q1", "q3", "q4", "q7"})
    f.store.answer(*f.store.lease_question(ann, id, seconds(60)), Comparison{.best = 1});
  std::set<std::string> free;
  for (int i = 0; i < 9; ++i) {
    const auto id = "q" + std::to_string(i);
    if (f.store.lease_question(ann, id, seconds(60))) free.insert(id);
  }
  EXPECT_EQ(free, (std::set<std::string>{"q0", "q2", "q5", "q6", "q8"}));
}

TEST_P(StoreOn, RepeatingAnAnswerIsAnsweringOnce) {
  Fixture f;
  f.store.publish(questions_of(1));
  const auto assignment = *f.store.lease(ann, seconds(60));
  const auto first = f.store.answer(assignment, Comparison{.best = 1});
  EXPECT_EQ(f.store.answer(assignment, Comparison{.best = 1}), first);
  EXPECT_EQ(f.store.latest(), first);
  EXPECT_EQ(error_of([&] { f.store.answer(assignment, Comparison{.best = 0}); }).problem(),
            "this assignment was answered already, and differently");
}

TEST_P(StoreOn, AQuestionIsWithOneAnnotatorAtATime) {
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

TEST_P(StoreOn, AReleasedQuestionIsFreeAtOnce) {
  Fixture f;
  f.store.publish(questions_of(1));
  f.store.release(*f.store.lease(ann, seconds(60)));
  EXPECT_TRUE(f.store.lease(bob, seconds(60)));
}

TEST_P(StoreOn, AnAnnotatorTakesBackOnlyHisOwnLeases) {
  Fixture f;
  f.store.publish(questions_of(2));
  const auto dead = *f.store.lease(ann, seconds(60));
  f.store.lease(bob, seconds(60));
  f.store.release_all(ann);
  EXPECT_EQ(f.store.counts().leased, 1);
  EXPECT_EQ(f.store.lease(ann, seconds(60))->question.id, dead.question.id);
}

TEST_P(StoreOn, ALateAnswerCountsUnlessSomebodyWasFaster) {
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

TEST_P(StoreOn, SeveralAnnotatorsMayBeWanted) {
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

TEST_P(StoreOn, ASkippedQuestionGoesToSomebodyElse) {
  Fixture f;
  f.store.publish(questions_of(1));
  f.store.answer(*f.store.lease(ann, seconds(60)), Skip{.reason = "cannot judge"});
  EXPECT_FALSE(f.store.lease(ann, seconds(60)));
  EXPECT_TRUE(f.store.lease(bob, seconds(60)));
  EXPECT_EQ(f.store.counts().skips, 1);
  EXPECT_EQ(f.store.counts().open, 1);
}

TEST_P(StoreOn, UndoOpensTheQuestionAgain) {
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

TEST_P(StoreOn, AnAnswerMustFitItsQuestion) {
  Fixture f;
  f.store.publish(questions_of(1));
  const auto assignment = *f.store.lease(ann, seconds(60));
  const auto message = [&](const Answer& feedback) {
    return error_of([&] { f.store.answer(assignment, feedback); }).problem();
  };
  EXPECT_EQ(message(Comparison{.best = 2}), "item 2 is meant, but there are 2 items, counted from 0");
  EXPECT_EQ(message(Comparison{.best = 0, .tie = true}), "a tie was given, but this question allows none");
  EXPECT_EQ(message(Comparison{.best = 0, .strength = 0}), "the strength must be a number above 0 and at most 1");
  EXPECT_EQ(message(Demonstration{"x"}), "a demonstration was given, but part \"better\" asks to compare");
  EXPECT_EQ(f.store.latest(), 1);
}

TEST_P(StoreOn, ARevisionReplacesAnAnswerInOneStep) {
  Fixture f;
  f.store.publish(questions_of(1));
  const auto first = f.store.answer(*f.store.lease(ann, seconds(60)), Comparison{.best = 0});
  EXPECT_EQ(error_of([&] { f.store.revise(bob, first, Comparison{.best = 1}); }).category(), Category::check);
  const auto second = f.store.revise(ann, first, Comparison{.best = 1});
  EXPECT_EQ(f.store.revise(ann, first, Comparison{.best = 1}), second);  // repeating it changes nothing
  EXPECT_EQ(f.store.latest(), second);
  const auto standing = f.store.answers_to("q0");
  ASSERT_EQ(standing.size(), 1u);
  EXPECT_EQ(standing[0].revises, first);
  EXPECT_EQ(f.store.counts().answers, 1);
  EXPECT_FALSE(f.store.lease(bob, seconds(60)));
}

TEST_P(StoreOn, PriorityComesBeforeAge) {
  Fixture f;
  auto urgent = question_of("urgent", {"a", "b"});
  urgent.priority = 2;
  f.store.publish(questions_of(2));
  f.store.publish(urgent);
  EXPECT_EQ(f.store.lease(ann, seconds(60))->question.id, "urgent");
  f.store.requeue("q1", {.priority = 1.0, .answers = {}, .reason = "disputed"});
  EXPECT_EQ(f.store.lease(ann, seconds(60))->question.id, "q1");
  f.store.requeue("q0", {.priority = {}, .answers = {}, .withdrawn = true, .reason = "broken"});
  EXPECT_FALSE(f.store.lease(ann, seconds(60)));
}

TEST_P(StoreOn, ReservedQuestionsQuotasAndPauses) {
  Fixture f;
  auto reserved = question_of("mine", {"a", "b"});
  reserved.reserved_for = "bob";
  f.store.publish(reserved);
  f.store.publish(questions_of(3));
  EXPECT_EQ(f.store.lease(ann, seconds(60))->question.id, "q0");
  EXPECT_EQ(f.store.lease(bob, seconds(60))->question.id, "mine");
  f.store.set({.name = "cat", .standing = Standing::active, .quota = 1, .passed = {}, .profile = {}});
  f.store.answer(*f.store.lease({"cat", Source::human}, seconds(60)), Comparison{.best = 0});
  EXPECT_FALSE(f.store.lease({"cat", Source::human}, seconds(60)));
  f.store.set({.name = "dan", .standing = Standing::paused, .passed = {}, .profile = {}});
  EXPECT_FALSE(f.store.lease({"dan", Source::human}, seconds(60)));
}

TEST_P(StoreOn, QualificationComesBeforeWorkAndGoldIsMixedIn) {
  Fixture f;
  auto test = question_of("test", {"a", "b"}), gold = question_of("gold", {"a", "b"});
  test.gold = gold.gold = std::make_shared<const Answer>(Comparison{.best = 1});
  test.round = "first";
  f.store.publish({test, gold, question_of("work", {"a", "b"})});
  LeaseOptions options{.gold_share = 0, .required_rounds = {"first"}};
  f.store.answer(*f.store.lease(ann, options), Comparison{.best = 1});
  EXPECT_FALSE(f.store.lease(ann, options));  // the round is over, but nobody has let ann through yet
  f.store.set({.name = "ann", .standing = Standing::active, .quota = 0, .passed = {"first"}, .profile = {}});
  options.gold_share = 1;
  EXPECT_EQ(f.store.lease(ann, options)->question.id, "gold");
  EXPECT_EQ(f.store.lease(ann, options)->question.id, "work");
  EXPECT_EQ(f.store.questions_of_round("first").size(), 1u);
}

TEST_P(StoreOn, HeldLeasesAreFoundAgainAndExtended) {
  Fixture f;
  f.store.publish(questions_of(2));
  const auto one = *f.store.lease(ann, seconds(60));
  f.now += 1;
  const auto two = *f.store.lease(ann, seconds(90));
  ASSERT_EQ(f.store.held(ann).size(), 2u);
  EXPECT_EQ(f.store.held(ann)[0].id, one.id);
  EXPECT_TRUE(f.store.extend(one.id, seconds(600)));
  f.now += 100;
  ASSERT_EQ(f.store.held(ann).size(), 1u);
  const auto taken = *f.store.lease(bob, seconds(30));
  EXPECT_EQ(taken.question.id, two.question.id);
  EXPECT_FALSE(f.store.extend(two.id, seconds(60)));  // somebody else has it
  f.now += 40;
  EXPECT_TRUE(f.store.extend(two.id, seconds(60)));  // and lost it again
  EXPECT_FALSE(f.store.extend(taken.id, seconds(60)));
  EXPECT_FALSE(f.store.extend("no such lease", seconds(60)));
  f.store.answer(one, Comparison{.best = 0});
  EXPECT_EQ(f.store.assignment(one.id)->question.id, "q0");  // known after it was answered, for repeats
}

TEST_P(StoreOn, ANewGuidelineAsksAgainWhatItAffects) {
  Fixture f;
  auto question = question_of("q", {"a", "b"});
  question.guideline = "1";
  f.store.publish(question);
  f.store.answer(*f.store.lease(ann, seconds(60)), Comparison{.best = 0});
  f.store.publish(
      Document{.kind = "guideline", .name = "guideline", .version = "2", .text = "Be kind.", .ask_again = true});
  EXPECT_EQ(f.store.document("guideline", "guideline")->version, "2");
  EXPECT_EQ(f.store.counts().open, 1);
  EXPECT_EQ(f.store.lease(bob, seconds(60))->question.id, "q");
}

TEST_P(StoreOn, ProjectsSeeNothingOfEachOther) {
  Fixture f;
  f.store.publish(questions_of(2));
  auto other = Store::open(f.store.location(), {.project = "other", .now = [&] { return f.now; }});
  EXPECT_EQ(other.counts().questions, 0);
  EXPECT_FALSE(other.lease(ann, seconds(60)));
  EXPECT_EQ(other.publish(question_of("q0", {"another", "question"})), 1);
  EXPECT_EQ(f.store.question("q0")->items.at(0).text, "good");
  EXPECT_EQ(other.projects(), (std::vector<std::string>{"default", "other"}));
}

TEST_P(StoreOn, AnErasedAnnotatorLeavesNothingButTheFact) {
  Fixture f;
  f.store.publish(questions_of(3));
  Answer secret = Comparison{.best = 0};
  secret.comment = "my telephone number is 5550142";
  f.store.answer(*f.store.lease(ann, seconds(60)), secret);
  f.store.undo(ann, f.store.answer(*f.store.lease(ann, seconds(60)), Comparison{.best = 1}));
  f.store.answer(*f.store.lease(bob, seconds(60)), Comparison{.best = 0});
  EXPECT_EQ(f.store.erase("ann", "asked for it"), 3);
  EXPECT_EQ(f.store.counts().open, 2);
  EXPECT_EQ(f.store.counts().answers, 1);
  EXPECT_EQ(std::get<Redaction>(f.store.read(0).back().body).events, 3);
  EXPECT_EQ(f.store.answered_by("ann"), 0);
  if (postgres()) return;
  for (const auto* suffix : {"", "-wal"}) {
    std::ifstream file(f.store.location() + suffix, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(bytes.find("5550142"), std::string::npos) << "in the file " << suffix;
  }
}

TEST_P(StoreOn, SignalsOfASessionAreStoredOnce) {
  Fixture f;
  const ScalarSignal press{.session = "s", .tick = 3, .time = 0.2, .value = 1, .delay = 0.01, .number = 7};
  const auto first = f.store.signal(ann, press);
  EXPECT_EQ(f.store.signal(ann, press), first);
  EXPECT_EQ(std::get<ScalarSignal>(f.store.read(0).at(0).body).number, 7);
}

TEST_P(StoreOn, ABackupIsAStoreOfItsOwn) {
  if (postgres()) GTEST_SKIP() << "pg_dump copies a PostgreSQL store";
  Fixture f;
  f.store.publish(questions_of(5));
  f.store.backup(f.folder / "copy.db");
  f.store.publish(question_of("later", {"a", "b"}));
  EXPECT_EQ(Store::open(f.folder / "copy.db").counts().questions, 5);
}

TEST_P(StoreOn, OwnersFindAnswersAndQuestions) {
  Fixture f;
  f.store.publish(questions_of(3));
  Answer flagged = Comparison{.best = 0};
  flagged.flags = {"unsafe"};
  flagged.comment = "this is about submarines";
  f.store.answer(*f.store.lease(ann, seconds(60)), flagged);
  f.store.answer(*f.store.lease(bob, seconds(60)), Comparison{.best = 0});
  const auto found = [&](Search search) { return f.store.search(search).size(); };
  EXPECT_EQ(found({.text = {}, .annotator = {}, .form = {}, .question = {}}), 2u);
  EXPECT_EQ(found({.text = "submarines", .annotator = {}, .form = {}, .question = {}}), 1u);
  EXPECT_EQ(found({.text = {}, .annotator = "bob", .form = {}, .question = {}}), 1u);
  EXPECT_EQ(found({.text = {}, .annotator = {}, .form = {}, .question = {}, .flagged = true}), 1u);
  EXPECT_EQ(f.store.queue({.state = QueueFilter::State::open, .form = {}}).size(), 1u);
  EXPECT_EQ(f.store.queue({.state = QueueFilter::State::flagged, .form = {}}).at(0).question.id, "q0");
}

TEST_P(StoreOn, WaitsForAnotherThreadAndNoLonger) {
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

TEST_P(StoreOn, ReadsInPagesAndSurvivesReopening) {
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

TEST_P(StoreOn, ThreadsShareOneStore) {
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

INSTANTIATE_TEST_SUITE_P(Store, StoreOn, testing::Values("SQLite", "PostgreSQL"),
                         [](const auto& database) { return std::string(database.param); });

}  // namespace
}  // namespace rlhf::feedback
