#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "rlhf/feedback/store.h"
#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

/// Another program with the same file open.
class Intruder {
 public:
  explicit Intruder(const std::filesystem::path& path) { sqlite3_open(path.c_str(), &handle_); }
  ~Intruder() { sqlite3_close(handle_); }
  int run(const char* sql) { return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); }

 private:
  sqlite3* handle_ = nullptr;
};

TEST(StoreErrors, Locked) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db", {.busy = std::chrono::milliseconds(50)});
  Intruder intruder(folder / "a.db");
  ASSERT_EQ(intruder.run("BEGIN IMMEDIATE"), SQLITE_OK);
  const auto error = error_of([&] { store.publish(questions_of(1)); });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_EQ(error.problem(), "another process has been writing to it for too long");
  intruder.run("COMMIT");
  EXPECT_EQ(store.publish(questions_of(1)), 1);
}

TEST(StoreErrors, Full) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db", {.max_bytes = 100 * 4096});
  const auto error = error_of([&] {
    for (int i = 0; i < 1000; ++i) store.publish(question_of("q" + std::to_string(i), {std::string(5000, 'x'), "b"}));
  });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_EQ(error.problem(), "there is no room for more: the disk is full, or the store has reached its size limit");
  const auto kept = store.counts().questions;
  EXPECT_GT(kept, 10);
  EXPECT_EQ(Store::open(folder / "a.db").counts().questions, kept);
}

TEST(StoreErrors, ReadOnly) {
  ScratchFolder folder;
  Store::open(folder / "a.db").publish(questions_of(1));
  auto store = Store::open(folder / "a.db", {.read_only = true});
  EXPECT_EQ(store.counts().questions, 1);
  const auto error = error_of([&] { store.publish(questions_of(2)); });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_EQ(error.problem(), "it is open for reading only, or its folder cannot be written to");
}

TEST(StoreErrors, NoSuchFolder) {
  ScratchFolder folder;
  const auto error = error_of([&] { Store::open(folder / "gone" / "a.db"); });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_EQ(error.problem(), "the file cannot be opened");
}

TEST(StoreErrors, DamagedFile) {
  ScratchFolder folder;
  std::ofstream(folder / "text.db") << std::string(10000, 'x');
  const auto no_database = error_of([&] { Store::open(folder / "text.db"); });
  EXPECT_EQ(no_database.category(), Category::bad_data);
  EXPECT_EQ(no_database.problem(), "it is damaged, or no feedback store (file is not a database)");

  Store::open(folder / "a.db").publish(questions_of(200));
  std::fstream file(folder / "a.db", std::ios::in | std::ios::out | std::ios::binary);
  for (int page = 1; page < 20; ++page) file.seekp(page * 4096) << std::string(2000, '\xAB');
  file.close();
  const auto damaged = error_of([&] {
    auto store = Store::open(folder / "a.db");
    store.read(0);
    store.publish(question_of("new", {"a", "b"}));
  });
  EXPECT_EQ(damaged.category(), Category::bad_data);
}

TEST(StoreErrors, AnotherProgramsDatabaseIsLeftAlone) {
  ScratchFolder folder;
  ASSERT_EQ(Intruder(folder / "a.db").run("CREATE TABLE mine (x)"), SQLITE_OK);
  std::ifstream before_file(folder / "a.db", std::ios::binary);
  const std::string before((std::istreambuf_iterator<char>(before_file)), {});
  const auto error = error_of([&] { Store::open(folder / "a.db"); });
  EXPECT_EQ(error.problem(), "this is an SQLite file of another program, not a feedback store");
  std::ifstream after_file(folder / "a.db", std::ios::binary);
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(after_file)), {}), before);
}

TEST(StoreErrors, ANewerStore) {
  ScratchFolder folder;
  {
    Store::open(folder / "a.db");
  }
  ASSERT_EQ(Intruder(folder / "a.db").run("PRAGMA user_version = 7"), SQLITE_OK);
  const auto error = error_of([&] { Store::open(folder / "a.db"); });
  EXPECT_EQ(error.category(), Category::bad_data);
  EXPECT_EQ(error.problem(), "the store has version 7; this program knows versions up to 3");
}

TEST(StoreErrors, TheLogCannotBeRewritten) {
  ScratchFolder folder;
  Store::open(folder / "a.db").publish(questions_of(1));
  Intruder intruder(folder / "a.db");
  EXPECT_EQ(intruder.run("UPDATE events SET body = ''"), SQLITE_CONSTRAINT);
  EXPECT_EQ(intruder.run("DELETE FROM events"), SQLITE_CONSTRAINT);
}

/// A store as version 1 wrote it: one question with two answers wanted, one given, one taken back.
constexpr const char* version_1 = R"sql(
CREATE TABLE events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL CHECK (kind IN ('question', 'answer', 'undo')),
  question TEXT NOT NULL, annotator TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '', guideline TEXT NOT NULL DEFAULT '',
  asked_at REAL NOT NULL, answered_at REAL NOT NULL, body TEXT NOT NULL);
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TABLE questions (id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, wanted INTEGER NOT NULL, given INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX open_questions ON questions (sequence) WHERE given < wanted;
CREATE TABLE answers (sequence INTEGER PRIMARY KEY, assignment TEXT NOT NULL UNIQUE, question TEXT NOT NULL, annotator TEXT NOT NULL,
  skip INTEGER NOT NULL, undone_by INTEGER);
CREATE INDEX answers_of_question ON answers (question, annotator);
CREATE TABLE leases (assignment TEXT PRIMARY KEY, question TEXT NOT NULL, annotator TEXT NOT NULL, leased_at REAL NOT NULL,
  expires_at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX leases_of_question ON leases (question);
INSERT INTO events VALUES (1, 'question', 'q', '', '', '7', 10, 10, '{"version":1,"id":"q","form":"pair","allow_tie":true,"scale":[1.0,7.0],
  "prompt":{"id":"p","text":"Say a word:","messages":[],"ids":[1],"row":null},
  "items":[{"text":"a","ids":[2],"policy_version":0,"sample":0},{"text":"b","ids":[3],"policy_version":0,"sample":1}],
  "shown":[1,0],"split":"train","answers":2,"guideline":"7","metadata":null}');
INSERT INTO events VALUES (2, 'answer', 'q', 'ann', 'human', '7', 11, 12, '{"version":1,"kind":"comparison","best":1,"tie":false,"strength":1.0}');
INSERT INTO events VALUES (3, 'answer', 'q', 'bob', 'simulated', '7', 11, 13, '{"version":1,"kind":"comparison","best":0,"tie":true,"strength":1.0}');
INSERT INTO events VALUES (4, 'undo', 'q', 'bob', 'simulated', '', 14, 14, '{"version":1,"kind":"undo","answer":3}');
INSERT INTO questions VALUES ('q', 1, 2, 1);
INSERT INTO answers VALUES (2, 'one', 'q', 'ann', 0, NULL);
INSERT INTO answers VALUES (3, 'two', 'q', 'bob', 0, 4);
PRAGMA application_id = 1917601862;
PRAGMA user_version = 1;
)sql";

TEST(StoreErrors, AStoreOfVersion1IsBroughtUpToDate) {
  ScratchFolder folder;
  const auto path = folder / "old.db";
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  char* message = nullptr;
  ASSERT_EQ(sqlite3_exec(database, version_1, nullptr, nullptr, &message), SQLITE_OK) << message;
  sqlite3_close(database);
  EXPECT_EQ(error_of([&] { Store::open(path, {.read_only = true}); }).category(), Category::bad_data);

  auto store = Store::open(path);
  EXPECT_EQ(store.counts().answers, 1);
  EXPECT_EQ(store.counts().undone, 1);
  EXPECT_EQ(store.read(0).size(), 4u);
  EXPECT_TRUE(store.question("q")->form.parts.at(0).allow_tie);
  EXPECT_EQ(std::get<Comparison>(std::get<Answer>(store.answers_to("q").at(0).body).said).best, 1);
  const Annotator bob{"bob", Source::simulated};
  EXPECT_FALSE(store.lease({"ann", Source::human}, std::chrono::seconds(60)));
  EXPECT_EQ(store.answer(*store.lease(bob, std::chrono::seconds(60)), Comparison{.best = 1}), 5);
  EXPECT_EQ(Store::open(path, {.read_only = true}).counts().open, 0);
}

}  // namespace
}  // namespace rlhf::feedback
