#include "rlhf/feedback/detail/schema.h"

#include <chrono>
#include <string>
#include <thread>

#include "rlhf/core/error.h"

namespace rlhf::feedback::detail {
namespace {

constexpr std::int64_t application_id = 0x724C4846;  // "rLHF": tells a feedback store from any other SQLite file

// `events` is the truth and only grows; the other tables follow from it (leases apart, which are never part of the
// record) and answer quickly what is open, and to whom.
constexpr const char* tables = R"sql(
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  project TEXT NOT NULL,
  kind TEXT NOT NULL,
  question TEXT NOT NULL DEFAULT '',
  annotator TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT '',
  guideline TEXT NOT NULL DEFAULT '',
  asked_at REAL NOT NULL,
  answered_at REAL NOT NULL,
  revises INTEGER NOT NULL DEFAULT 0,
  body TEXT NOT NULL
);
CREATE INDEX events_of_project ON events (project, sequence);
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TABLE erasing (annotator TEXT NOT NULL);
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
  WHEN NOT EXISTS (SELECT 1 FROM erasing WHERE annotator = OLD.annotator)
  BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

CREATE TABLE questions (
  project TEXT NOT NULL,
  id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  form TEXT NOT NULL,
  priority REAL NOT NULL,
  wanted INTEGER NOT NULL,
  given INTEGER NOT NULL DEFAULT 0,
  withdrawn INTEGER NOT NULL DEFAULT 0,
  reserved_for TEXT NOT NULL DEFAULT '',
  round TEXT NOT NULL DEFAULT '',
  gold INTEGER NOT NULL DEFAULT 0,
  guideline TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (project, id)
) WITHOUT ROWID;
CREATE INDEX open_questions ON questions (project, gold, round, priority DESC, sequence) WHERE given < wanted AND NOT withdrawn;
CREATE INDEX questions_by_age ON questions (project, sequence);

CREATE TABLE answers (
  sequence INTEGER PRIMARY KEY,
  project TEXT NOT NULL,
  assignment TEXT NOT NULL UNIQUE,
  question TEXT NOT NULL,
  annotator TEXT NOT NULL,
  skip INTEGER NOT NULL,
  flagged INTEGER NOT NULL DEFAULT 0,
  undone_by INTEGER
);
CREATE INDEX answers_of_question ON answers (project, question, annotator);
CREATE INDEX answers_of_annotator ON answers (project, annotator, sequence);

CREATE TABLE leases (
  assignment TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  question TEXT NOT NULL,
  annotator TEXT NOT NULL,
  source TEXT NOT NULL,
  leased_at REAL NOT NULL,
  expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX leases_of_question ON leases (project, question);

CREATE TABLE annotators (
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  standing TEXT NOT NULL,
  quota INTEGER NOT NULL,
  passed TEXT NOT NULL,
  profile TEXT NOT NULL,
  PRIMARY KEY (project, name)
) WITHOUT ROWID;

CREATE TABLE signals (
  project TEXT NOT NULL,
  session TEXT NOT NULL,
  number INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (project, session, number)
) WITHOUT ROWID;

CREATE TABLE documents (
  project TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (project, kind, name)
) WITHOUT ROWID;
)sql";

// Version 1 had one project and three kinds of entries. Its records stay as they are: readers know their version.
constexpr const char* put_version_1_aside = R"sql(
DROP TRIGGER events_are_not_changed;
DROP TRIGGER events_are_not_deleted;
DROP INDEX open_questions;
DROP INDEX answers_of_question;
DROP TABLE leases;
ALTER TABLE events RENAME TO events_1;
ALTER TABLE questions RENAME TO questions_1;
ALTER TABLE answers RENAME TO answers_1;
)sql";
constexpr const char* take_version_1_over = R"sql(
INSERT INTO events (sequence, project, kind, question, annotator, source, guideline, asked_at, answered_at, body)
  SELECT sequence, 'default', kind, question, annotator, source, guideline, asked_at, answered_at, body FROM events_1;
INSERT INTO questions (project, id, sequence, form, priority, wanted, given, guideline)
  SELECT 'default', q.id, q.sequence, json_extract(e.body, '$.form'), 0, q.wanted, q.given, e.guideline
  FROM questions_1 q JOIN events_1 e ON e.sequence = q.sequence;
INSERT INTO answers (sequence, project, assignment, question, annotator, skip, undone_by)
  SELECT sequence, 'default', assignment, question, annotator, skip, undone_by FROM answers_1;
DROP TABLE events_1;
DROP TABLE questions_1;
DROP TABLE answers_1;
)sql";

[[noreturn]] void fail(const Database& database, std::string what, std::string fix) {
  throw Error({.category = Category::bad_data,
               .where = database.path().string(),
               .what = std::move(what),
               .fix = std::move(fix)});
}

bool is_empty(const Database& database) {
  return database.number("SELECT count(*) FROM sqlite_master").value_or(0) == 0;
}

/// The switch needs the file for itself, and SQLite refuses at once instead of waiting when two processes switch
/// together.
void use_write_ahead_log(const Database& database) {
  for (int attempt = 0;; ++attempt) {
    try {
      return database.execute("PRAGMA journal_mode = WAL");
    } catch (const Error& error) {
      if (error.category() != Category::resource || attempt == 100) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

void create(const Database& database) {
  database.transaction([&] {
    if (!is_empty(database)) return;  // another process was faster
    database.execute(tables);
    database.execute("PRAGMA application_id = " + std::to_string(application_id));
    database.execute("PRAGMA user_version = " + std::to_string(schema_version));
  });
}

/// All of it in one transaction; what is open is empty again, as leases are no part of the record.
void migrate(const Database& database) {
  database.transaction([&] {
    if (database.number("PRAGMA user_version") != 1) return;  // another process was faster
    database.execute(put_version_1_aside);
    database.execute(tables);
    database.execute(take_version_1_over);
    database.execute("PRAGMA user_version = " + std::to_string(schema_version));
  });
}

}  // namespace

void open_schema(const Database& database, bool read_only) {
  if (is_empty(database)) {
    if (read_only) fail(database, "the feedback store is empty", "");
    create(database);
  }
  if (database.number("PRAGMA application_id") != application_id) {
    fail(database, "this is an SQLite file of another program, not a feedback store", "Check the path.");
  }
  const auto version = database.number("PRAGMA user_version").value_or(0);
  if (version > schema_version) {
    fail(database,
         "the store has version " + std::to_string(version) + "; this program knows versions up to " +
             std::to_string(schema_version),
         "Use the newer program that wrote it.");
  }
  if (version < schema_version && read_only) {
    fail(database, "the store has version " + std::to_string(version) + ", and is opened for reading only",
         "Open it once for writing, with `rlhf collect` for example: it is then brought up to date.");
  }
  if (!read_only) use_write_ahead_log(database);
  if (version < schema_version) migrate(database);
}

}  // namespace rlhf::feedback::detail
