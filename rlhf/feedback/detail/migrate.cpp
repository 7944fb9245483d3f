#include "rlhf/feedback/detail/log.h"
#include "rlhf/feedback/detail/queue.h"
#include "rlhf/feedback/detail/schema.h"

namespace rlhf::feedback::detail {
namespace {

// Version 1 had one project and three kinds of entries: with these columns it is a store of version 2.
constexpr const char* version_1_to_2 = R"sql(
DROP INDEX leases_of_question;
ALTER TABLE events ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
ALTER TABLE events ADD COLUMN revises INTEGER NOT NULL DEFAULT 0;
ALTER TABLE questions ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
ALTER TABLE questions ADD COLUMN priority REAL NOT NULL DEFAULT 0;
ALTER TABLE questions ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE answers ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
ALTER TABLE answers ADD COLUMN flagged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE leases ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
ALTER TABLE leases ADD COLUMN source TEXT NOT NULL DEFAULT 'human';
UPDATE leases SET source =
  coalesce((SELECT e.source FROM events e WHERE e.annotator = leases.annotator AND e.annotator <> '' LIMIT 1), 'human');
CREATE TABLE annotators (project TEXT, name TEXT, source TEXT, standing TEXT, quota INTEGER, passed TEXT, profile TEXT);
CREATE TABLE signals (project TEXT, session TEXT, number INTEGER, sequence INTEGER);
)sql";

constexpr const char* set_aside = R"sql(
DROP TRIGGER events_are_not_changed;
DROP TRIGGER events_are_not_deleted;
DROP INDEX IF EXISTS events_of_project;
DROP INDEX IF EXISTS open_questions;
DROP INDEX IF EXISTS questions_by_age;
DROP INDEX IF EXISTS answers_of_question;
DROP INDEX IF EXISTS answers_of_annotator;
DROP INDEX IF EXISTS leases_of_question;
DROP TABLE IF EXISTS erasing;
DROP TABLE IF EXISTS documents;
ALTER TABLE events RENAME TO old_events;
ALTER TABLE questions RENAME TO old_questions;
ALTER TABLE answers RENAME TO old_answers;
ALTER TABLE leases RENAME TO old_leases;
ALTER TABLE annotators RENAME TO old_annotators;
ALTER TABLE signals RENAME TO old_signals;
)sql";

// The log is taken over as it is: its records name their own version.
constexpr const char* take_over = R"sql(
INSERT INTO projects (name) SELECT DISTINCT project FROM old_events ORDER BY project;
INSERT INTO events (sequence, project, kind, question, annotator, source, guideline, asked_at, answered_at, revises, body)
  SELECT e.sequence, p.id, e.kind, e.question, e.annotator, e.source, e.guideline, e.asked_at, e.answered_at, e.revises,
    e.body FROM old_events e JOIN projects p ON p.name = e.project ORDER BY e.sequence;
DELETE FROM sqlite_sequence WHERE name = 'events';
UPDATE sqlite_sequence SET name = 'events' WHERE name = 'old_events';
)sql";

constexpr const char* derive = R"sql(
UPDATE questions SET (wanted, given, withdrawn, rank) = (SELECT o.wanted, o.given, o.withdrawn, -o.priority
  FROM projects p JOIN old_questions o ON o.project = p.name AND o.id = questions.id WHERE p.id = questions.project);
INSERT INTO answers (sequence, project, assignment, question, annotator, place, skip, flagged, undone_by)
  SELECT a.sequence, p.id, a.assignment, q.sequence, a.annotator, q.place, a.skip, a.flagged, a.undone_by
  FROM old_answers a JOIN projects p ON p.name = a.project JOIN questions q ON q.project = p.id AND q.id = a.question;
INSERT INTO assignments SELECT l.assignment, p.id, q.sequence, l.annotator, l.source, l.leased_at, l.expires_at, 1
  FROM old_leases l JOIN projects p ON p.name = l.project JOIN questions q ON q.project = p.id AND q.id = l.question;
UPDATE questions SET leased = (SELECT count(*) FROM assignments a WHERE a.question = questions.sequence),
  flags = (SELECT count(*) FROM answers a WHERE a.question = questions.sequence AND a.flagged AND a.undone_by IS NULL);
INSERT INTO annotators (project, name, source, standing, quota, passed, profile)
  SELECT p.id, o.name, o.source, o.standing, o.quota, o.passed, o.profile
  FROM old_annotators o JOIN projects p ON p.name = o.project;
INSERT INTO annotators (project, name, source, answered)
  SELECT a.project, a.annotator, max(e.source), sum(a.undone_by IS NULL AND NOT a.skip)
  FROM answers a JOIN events e ON e.sequence = a.sequence WHERE true GROUP BY a.project, a.annotator
  ON CONFLICT (project, name) DO UPDATE SET answered = excluded.answered;
INSERT INTO seen
  SELECT project, annotator, min(place), max(place) FROM (
    SELECT project, annotator, place,
      place - row_number() OVER (PARTITION BY project, annotator ORDER BY place) AS run FROM (
      SELECT project, annotator, place FROM answers WHERE undone_by IS NULL
      UNION SELECT s.project, s.annotator, q.place FROM assignments s JOIN questions q ON q.sequence = s.question))
  GROUP BY project, annotator, run;
INSERT INTO documents SELECT sequence, project, json_extract(body, '$.kind'), json_extract(body, '$.name'),
  json_extract(body, '$.edition') FROM events WHERE kind = 'document';
INSERT INTO signals SELECT p.id, o.session, o.number, o.sequence FROM old_signals o JOIN projects p ON p.name = o.project;
UPDATE projects SET
  open = (SELECT count(*) FROM questions WHERE project = projects.id AND given < wanted AND NOT withdrawn),
  answers = (SELECT count(*) FROM answers WHERE project = projects.id AND NOT skip AND undone_by IS NULL),
  skips = (SELECT count(*) FROM answers WHERE project = projects.id AND skip AND undone_by IS NULL),
  undone = (SELECT count(*) FROM answers WHERE project = projects.id AND undone_by IS NOT NULL);
DROP TABLE old_events;
DROP TABLE old_questions;
DROP TABLE old_answers;
DROP TABLE old_leases;
DROP TABLE old_annotators;
DROP TABLE old_signals;
)sql";

void queue_questions(Database& database, std::int64_t project) {
  Queue queue(database, project);
  std::int64_t after = 0;
  for (;;) {
    const auto rows = database.query(
        "SELECT sequence, body FROM events WHERE project = ? AND kind = 'question' AND sequence > ? ORDER BY sequence"
        " LIMIT 1000",
        project, after);
    if (rows.empty()) break;
    for (const auto& row : rows)
      queue.add(question_of(row.text(1), row.integer(0), database.location()), row.integer(0));
    after = rows.back().integer(0);
  }
  queue.close();
}

}  // namespace

/// Another program of the older version that has the store open finds none of its statements valid any more and stops;
/// what it had leased can still be answered.
void migrate(Database& database, std::int64_t from) {
  if (from == 1) database.script(version_1_to_2);
  database.script(set_aside + tables_for(false) + take_over);
  for (const auto& project : database.query("SELECT id FROM projects")) queue_questions(database, project.integer(0));
  database.script(derive);
}

}  // namespace rlhf::feedback::detail
