#include "rlhf/feedback/detail/log.h"
#include "rlhf/feedback/detail/queue.h"
#include "rlhf/feedback/detail/schema.h"

namespace rlhf::feedback::detail {
namespace {

constexpr const char* set_aside = R"sql(
DROP TRIGGER events_are_not_changed;
DROP TRIGGER events_are_not_deleted;
DROP INDEX open_questions;
DROP INDEX answers_of_question;
ALTER TABLE events RENAME TO events_1;
ALTER TABLE questions RENAME TO questions_1;
ALTER TABLE answers RENAME TO answers_1;
)sql";

// The log is taken over as it is: its records name their own version.
constexpr const char* take_over = R"sql(
INSERT INTO projects (id, name) VALUES (1, 'default');
INSERT INTO events (sequence, project, kind, question, annotator, source, guideline, asked_at, answered_at, revises, body)
  SELECT sequence, 1, kind, question, annotator, source, guideline, asked_at, answered_at, 0, body FROM events_1
  ORDER BY sequence;
)sql";

constexpr const char* derive = R"sql(
UPDATE questions SET given = (SELECT o.given FROM questions_1 o WHERE o.id = questions.id);
INSERT INTO answers (sequence, project, assignment, question, annotator, place, skip, flagged, undone_by)
  SELECT a.sequence, 1, a.assignment, q.sequence, a.annotator, q.place, a.skip, 0, a.undone_by
  FROM answers_1 a JOIN questions q ON q.id = a.question;
INSERT INTO assignments SELECT l.assignment, 1, q.sequence, l.annotator, 'human', l.leased_at, l.expires_at, 1
  FROM leases l JOIN questions q ON q.id = l.question;
UPDATE assignments SET source = coalesce((SELECT e.source FROM events e WHERE e.project = 1
  AND e.annotator = assignments.annotator AND e.annotator <> '' LIMIT 1), 'human');
UPDATE questions SET leased = (SELECT count(*) FROM assignments a WHERE a.question = questions.sequence);
INSERT INTO annotators (project, name, source, answered)
  SELECT 1, a.annotator, max(e.source), sum(a.undone_by IS NULL AND NOT a.skip)
  FROM answers a JOIN events e ON e.sequence = a.sequence GROUP BY a.annotator;
INSERT INTO seen
  SELECT 1, annotator, min(place), max(place) FROM (
    SELECT annotator, place, place - row_number() OVER (PARTITION BY annotator ORDER BY place) AS run FROM (
      SELECT annotator, place FROM answers WHERE undone_by IS NULL
      UNION SELECT s.annotator, q.place FROM assignments s JOIN questions q ON q.sequence = s.question))
  GROUP BY annotator, run;
UPDATE projects SET
  open = (SELECT count(*) FROM questions WHERE given < wanted),
  answers = (SELECT count(*) FROM answers WHERE NOT skip AND undone_by IS NULL),
  skips = (SELECT count(*) FROM answers WHERE skip AND undone_by IS NULL),
  undone = (SELECT count(*) FROM answers WHERE undone_by IS NOT NULL);
DROP TABLE events_1;
DROP TABLE questions_1;
DROP TABLE answers_1;
DROP TABLE leases;
)sql";

}  // namespace

/// Another program of version 1 that has the store open finds none of its statements valid any more and stops; what it
/// had leased can still be answered.
void migrate_from_1(Database& database) {
  database.script(set_aside + tables_for(false) + take_over);
  Queue queue(database, 1);
  std::int64_t after = 0;
  for (;;) {
    const auto rows = database.query(
        "SELECT sequence, body FROM events WHERE kind = 'question' AND sequence > ? ORDER BY sequence LIMIT 1000",
        after);
    if (rows.empty()) break;
    for (const auto& row : rows)
      queue.add(question_of(row.text(1), row.integer(0), database.location()), row.integer(0));
    after = rows.back().integer(0);
  }
  queue.close();
  database.script(derive);
}

}  // namespace rlhf::feedback::detail
