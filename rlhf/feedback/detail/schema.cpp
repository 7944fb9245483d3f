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
  kind TEXT NOT NULL CHECK (kind IN ('question', 'answer', 'undo')),
  question TEXT NOT NULL,
  annotator TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT '',
  guideline TEXT NOT NULL DEFAULT '',
  asked_at REAL NOT NULL,
  answered_at REAL NOT NULL,
  body TEXT NOT NULL
);
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

CREATE TABLE questions (
  id TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  wanted INTEGER NOT NULL,
  given INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX open_questions ON questions (sequence) WHERE given < wanted;

CREATE TABLE answers (
  sequence INTEGER PRIMARY KEY,
  assignment TEXT NOT NULL UNIQUE,
  question TEXT NOT NULL,
  annotator TEXT NOT NULL,
  skip INTEGER NOT NULL,
  undone_by INTEGER
);
CREATE INDEX answers_of_question ON answers (question, annotator);

CREATE TABLE leases (
  assignment TEXT PRIMARY KEY,
  question TEXT NOT NULL,
  annotator TEXT NOT NULL,
  leased_at REAL NOT NULL,
  expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX leases_of_question ON leases (question);
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
  if (!read_only) use_write_ahead_log(database);
}

}  // namespace rlhf::feedback::detail
