#pragma once

namespace rlhf::feedback::detail {

// `events` is the truth and only grows; the other tables follow from it (assignments apart, which are never part of the
// record) and answer quickly what is open, and to whom. {key}, {id}, {rows} and {long} differ between the databases.
//
// A lane is a class of questions that an annotator may or may not be asked: `waiting` has the front of each at its
// first key, so that looking for a question costs the same in a long queue as in a short one. `seen` keeps which places
// in line an annotator is past (answered, skipped or holds) as runs, so that a million of them are one row.
inline constexpr const char* tables = R"sql(
CREATE TABLE projects (
  id {key},
  name TEXT NOT NULL UNIQUE,
  places {long} NOT NULL DEFAULT 0,
  questions {long} NOT NULL DEFAULT 0,
  open {long} NOT NULL DEFAULT 0,
  answers {long} NOT NULL DEFAULT 0,
  skips {long} NOT NULL DEFAULT 0,
  undone {long} NOT NULL DEFAULT 0
);
CREATE TABLE events (
  sequence {key},
  project {long} NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('question', 'answer', 'undo', 'signal', 'document', 'redaction', 'requeue')),
  question TEXT NOT NULL,
  annotator TEXT NOT NULL,
  source TEXT NOT NULL,
  guideline TEXT NOT NULL,
  asked_at DOUBLE PRECISION NOT NULL,
  answered_at DOUBLE PRECISION NOT NULL,
  revises {long} NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX events_of_project ON events (project, sequence);
CREATE INDEX events_of_annotator ON events (project, annotator) WHERE annotator <> '';
CREATE TABLE erasing (project {long} NOT NULL, annotator TEXT NOT NULL);

CREATE TABLE lanes (
  id {key},
  project {long} NOT NULL,
  reserved_for TEXT NOT NULL,
  round TEXT NOT NULL,
  gold {long} NOT NULL,
  form TEXT NOT NULL,
  UNIQUE (project, reserved_for, round, gold, form)
);
CREATE TABLE questions (
  sequence {id},
  project {long} NOT NULL,
  id TEXT NOT NULL,
  lane {long} NOT NULL,
  rank DOUBLE PRECISION NOT NULL,
  place {long} NOT NULL,
  wanted {long} NOT NULL,
  given {long} NOT NULL DEFAULT 0,
  leased {long} NOT NULL DEFAULT 0,
  flags {long} NOT NULL DEFAULT 0,
  withdrawn {long} NOT NULL DEFAULT 0,
  UNIQUE (project, id)
);
CREATE INDEX waiting ON questions (lane, rank, place) WHERE withdrawn = 0 AND given + leased < wanted;
-- Begins with the project so that looking for the front of a lane cannot use it in place of `waiting`.
CREATE INDEX questions_of_lane ON questions (project, lane, sequence);
CREATE INDEX questions_of_project ON questions (project, sequence);

CREATE TABLE answers (
  sequence {id},
  project {long} NOT NULL,
  assignment TEXT NOT NULL UNIQUE,
  question {long} NOT NULL,
  annotator TEXT NOT NULL,
  place {long} NOT NULL,
  skip {long} NOT NULL,
  flagged {long} NOT NULL,
  undone_by {long}
);
CREATE INDEX answers_of_question ON answers (question, annotator);
CREATE INDEX answers_of_annotator ON answers (project, annotator, sequence);
CREATE INDEX answers_of_project ON answers (project, sequence);

CREATE TABLE assignments (
  id TEXT PRIMARY KEY,
  project {long} NOT NULL,
  question {long} NOT NULL,
  annotator TEXT NOT NULL,
  source TEXT NOT NULL,
  leased_at DOUBLE PRECISION NOT NULL,
  lease_until DOUBLE PRECISION NOT NULL,
  active {long} NOT NULL
) {rows};
CREATE INDEX assignments_by_end ON assignments (project, active, lease_until);
CREATE INDEX assignments_of_annotator ON assignments (project, annotator);

CREATE TABLE seen (
  project {long} NOT NULL,
  annotator TEXT NOT NULL,
  low {long} NOT NULL,
  high {long} NOT NULL,
  PRIMARY KEY (project, annotator, low)
) {rows};

CREATE TABLE annotators (
  project {long} NOT NULL,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  standing TEXT NOT NULL DEFAULT 'active',
  quota {long} NOT NULL DEFAULT 0,
  passed TEXT NOT NULL DEFAULT '[]',
  profile TEXT NOT NULL DEFAULT 'null',
  answered {long} NOT NULL DEFAULT 0,
  PRIMARY KEY (project, name)
) {rows};

CREATE TABLE documents (
  sequence {id},
  project {long} NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL
);
CREATE INDEX documents_by_name ON documents (project, kind, name, sequence);

CREATE TABLE signals (
  project {long} NOT NULL,
  session TEXT NOT NULL,
  number {long} NOT NULL,
  sequence {long} NOT NULL,
  PRIMARY KEY (project, session, number)
) {rows};
)sql";

// An entry leaves the log only when its annotator is being erased, and none is ever changed.
inline constexpr const char* sqlite_guards = R"sql(
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
  WHEN NOT EXISTS (SELECT 1 FROM erasing e WHERE e.project = OLD.project AND e.annotator = OLD.annotator)
  BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
)sql";

inline constexpr const char* postgres_guards = R"sql(
CREATE FUNCTION keep_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM erasing e WHERE e.project = OLD.project AND e.annotator = OLD.annotator)
  THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'events are never changed or deleted';
END $$;
CREATE TRIGGER events_are_kept BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION keep_event();
CREATE TABLE commits (writer TEXT PRIMARY KEY, token BIGINT NOT NULL, made TIMESTAMPTZ NOT NULL DEFAULT now());
CREATE TABLE store (version BIGINT NOT NULL);
)sql";

}  // namespace rlhf::feedback::detail
