#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "rlhf/feedback/record.h"
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

/// A store as version 2 wrote it, with two projects: what was asked, answered, withdrawn, leased, signalled and written
/// down about people.
constexpr const char* version_2 = R"sql(
CREATE TABLE events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL, kind TEXT NOT NULL,
  question TEXT NOT NULL DEFAULT '', annotator TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '',
  guideline TEXT NOT NULL DEFAULT '', asked_at REAL NOT NULL, answered_at REAL NOT NULL, revises INTEGER NOT NULL DEFAULT 0,
  body TEXT NOT NULL);
CREATE INDEX events_of_project ON events (project, sequence);
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TABLE erasing (annotator TEXT NOT NULL);
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
  WHEN NOT EXISTS (SELECT 1 FROM erasing WHERE annotator = OLD.annotator)
  BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TABLE questions (project TEXT NOT NULL, id TEXT NOT NULL, sequence INTEGER NOT NULL, form TEXT NOT NULL,
  priority REAL NOT NULL, wanted INTEGER NOT NULL, given INTEGER NOT NULL DEFAULT 0, withdrawn INTEGER NOT NULL DEFAULT 0,
  reserved_for TEXT NOT NULL DEFAULT '', round TEXT NOT NULL DEFAULT '', gold INTEGER NOT NULL DEFAULT 0,
  guideline TEXT NOT NULL DEFAULT '', PRIMARY KEY (project, id)) WITHOUT ROWID;
CREATE INDEX open_questions ON questions (project, gold, round, priority DESC, sequence)
  WHERE given < wanted AND NOT withdrawn;
CREATE INDEX questions_by_age ON questions (project, sequence);
CREATE TABLE answers (sequence INTEGER PRIMARY KEY, project TEXT NOT NULL, assignment TEXT NOT NULL UNIQUE,
  question TEXT NOT NULL, annotator TEXT NOT NULL, skip INTEGER NOT NULL, flagged INTEGER NOT NULL DEFAULT 0,
  undone_by INTEGER);
CREATE INDEX answers_of_question ON answers (project, question, annotator);
CREATE INDEX answers_of_annotator ON answers (project, annotator, sequence);
CREATE TABLE leases (assignment TEXT PRIMARY KEY, project TEXT NOT NULL, question TEXT NOT NULL, annotator TEXT NOT NULL,
  source TEXT NOT NULL, leased_at REAL NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX leases_of_question ON leases (project, question);
CREATE TABLE annotators (project TEXT NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL, standing TEXT NOT NULL,
  quota INTEGER NOT NULL, passed TEXT NOT NULL, profile TEXT NOT NULL, PRIMARY KEY (project, name)) WITHOUT ROWID;
CREATE TABLE signals (project TEXT NOT NULL, session TEXT NOT NULL, number INTEGER NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY (project, session, number)) WITHOUT ROWID;
CREATE TABLE documents (project TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY (project, kind, name)) WITHOUT ROWID;
PRAGMA application_id = 1917601862;
PRAGMA user_version = 2;
)sql";

/// Writes entries of version 2, as its program did.
class OldStore {
 public:
  explicit OldStore(const std::filesystem::path& path) : intruder_(path) { run(version_2); }

  void run(const std::string& sql) { ASSERT_EQ(intruder_.run(sql.c_str()), SQLITE_OK) << sql; }
  void event(const std::string& project, const std::string& kind, const std::string& question,
             const std::string& annotator, const nlohmann::json& body) {
    run("INSERT INTO events (project, kind, question, annotator, source, asked_at, answered_at, body) VALUES ('" +
        project + "', '" + kind + "', '" + question + "', '" + annotator + "', '" + (annotator.empty() ? "" : "human") +
        "', 10, 11, '" + body.dump() + "')");
    ++sequence_;
  }
  void question(const std::string& project, const std::string& id, double priority, int given, bool withdrawn) {
    event(project, "question", id, "", to_json(question_of(id, {"good", "bad"})));
    run("INSERT INTO questions (project, id, sequence, form, priority, wanted, given, withdrawn) VALUES ('" + project +
        "', '" + id + "', " + std::to_string(sequence_) + ", 'pair', " + std::to_string(priority) + ", 1, " +
        std::to_string(given) + ", " + (withdrawn ? "1" : "0") + ")");
  }
  void answer(const std::string& project, const std::string& question, const std::string& annotator) {
    event(project, "answer", question, annotator, to_json(Answer(Comparison{.best = 1})));
    run("INSERT INTO answers VALUES (" + std::to_string(sequence_) + ", '" + project + "', 'by " + annotator + "', '" +
        question + "', '" + annotator + "', 0, 1, NULL)");
  }

 private:
  Intruder intruder_;
  std::int64_t sequence_ = 0;
};

TEST(StoreErrors, AStoreOfVersion2IsBroughtUpToDate) {
  ScratchFolder folder;
  const auto path = (folder / "old.db").string();
  const Annotator ann{"ann"}, bob{"bob"};
  {
    OldStore old(path);
    old.question("default", "plain", 0, 0, false);
    old.question("default", "urgent", 5, 0, false);
    old.question("default", "done", 0, 1, false);
    old.question("default", "withdrawn", 9, 0, true);
    old.question("default", "held", 0, 0, false);
    old.question("cats", "plain", 0, 0, false);
    old.answer("default", "done", "ann");
    old.event("default", "signal", "", "ann", to_json(ScalarSignal{.session = "s", .value = 1, .number = 3}));
    old.run("INSERT INTO signals VALUES ('default', 's', 3, 8)");
    old.event("default", "document", "", "",
              to_json(Document{.kind = "guideline", .name = "g", .version = "1", .text = "t"}));
    old.run("INSERT INTO documents VALUES ('default', 'guideline', 'g', 9)");
    old.run("INSERT INTO leases VALUES ('lease', 'default', 'held', 'bob', 'human', 100, 1000)");
    old.run("INSERT INTO annotators VALUES ('default', 'cat', 'human', 'paused', 7, '[\"first\"]', 'null')");
  }
  const StoreOptions options{.now = [] { return 200.0; }};
  auto store = Store::open(path, options);
  const auto counts = store.counts();
  EXPECT_EQ(counts.questions, 5);
  EXPECT_EQ(counts.open, 3);
  EXPECT_EQ(counts.leased, 1);
  EXPECT_EQ(counts.answers, 1);
  EXPECT_EQ(store.projects(), (std::vector<std::string>{"cats", "default"}));
  EXPECT_EQ(store.answered_by("ann"), 1);
  EXPECT_EQ(store.annotators().at(1).passed, std::vector<std::string>{"first"});
  EXPECT_EQ(store.annotators().at(1).standing, Standing::paused);
  EXPECT_EQ(store.document("guideline", "g")->text, "t");
  EXPECT_EQ(store.queue({.state = QueueFilter::State::flagged, .form = {}}).at(0).question.id, "done");
  EXPECT_EQ(store.signal(ann, {.session = "s", .value = 1, .number = 3}), 8);
  EXPECT_EQ(store.held(bob).at(0).question.id, "held");
  EXPECT_EQ(store.lease(ann, std::chrono::seconds(60))->question.id, "urgent");
  EXPECT_EQ(store.lease(ann, std::chrono::seconds(60))->question.id, "plain");
  EXPECT_FALSE(store.lease(ann, std::chrono::seconds(60)));
  EXPECT_EQ(store.answer(store.held(bob).at(0), Comparison{.best = 0}), 10);
  EXPECT_EQ(Store::open(path, {.project = "cats"}).counts().open, 1);
}

}  // namespace
}  // namespace rlhf::feedback
