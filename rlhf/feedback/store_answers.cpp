#include "rlhf/feedback/detail/store_state.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback {
namespace {

using detail::Database;
using detail::Queue;
using detail::Queued;

/// What the tables keep of an answer.
struct Given {
  std::int64_t sequence = 0, question = 0, place = 0;
  bool skip = false, flagged = false;
  std::int64_t undone_by = 0;
};

constexpr const char* given_columns = "SELECT sequence, question, place, skip, flagged, undone_by FROM answers ";

Given given_of(const detail::Row& row) {
  return {.sequence = row.integer(0),
          .question = row.integer(1),
          .place = row.integer(2),
          .skip = row.integer(3) != 0,
          .flagged = row.integer(4) != 0,
          .undone_by = row.integer(5)};
}

/// The version in force of the guideline that the question was asked under.
std::string guideline_in_force(Database& database, std::int64_t project, const std::string& asked_under) {
  if (asked_under.empty()) return {};
  const auto row = database.row(
      "SELECT n.version FROM documents o JOIN documents n ON n.project = o.project AND n.kind = o.kind AND n.name = "
      "o.name"
      " WHERE o.project = ? AND o.kind = 'guideline' AND o.version = ? ORDER BY n.sequence DESC LIMIT 1",
      project, asked_under);
  return row ? row->text(0) : asked_under;
}

void count_answer(Database& database, std::int64_t project, const Annotator& annotator, int change) {
  database.run(
      "INSERT INTO annotators (project, name, source, answered) VALUES (?, ?, ?, ?)"
      " ON CONFLICT (project, name) DO UPDATE SET answered = annotators.answered + excluded.answered",
      project, annotator.name, source_name(annotator.source), change);
}

/// Enters an answer into the tables that follow from the log.
void enter(Database& database, Queue& queue, std::int64_t project, const Given& given, const std::string& assignment,
           const Annotator& annotator) {
  database.run(
      "INSERT INTO answers (sequence, project, assignment, question, annotator, place, skip, flagged)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      given.sequence, project, assignment, given.question, annotator.name, given.place, given.skip, given.flagged);
  count_answer(database, project, annotator, given.skip ? 0 : 1);
  ++(given.skip ? queue.tally.skips : queue.tally.answers);
}

/// Takes an answer out of the count again. `after` is its question; an answer from before the question was asked anew
/// is not counted there any more.
void leave(Database& database, Queue& queue, std::int64_t project, const Given& given, std::int64_t because,
           const Annotator& annotator, Queued& after) {
  database.run("UPDATE answers SET undone_by = ? WHERE sequence = ?", because, given.sequence);
  if (!given.skip) count_answer(database, project, annotator, -1);
  --(given.skip ? queue.tally.skips : queue.tally.answers);
  ++queue.tally.undone;
  if (!given.skip && given.place == after.place) --after.given;
  if (given.flagged) --after.flags;
}

struct Prepared {
  std::string body;
  bool skip, flagged;
};

Prepared prepare(const Answer& answer, const Question& question) {
  validate(answer, question);
  return {detail::dump(to_json(answer)), std::holds_alternative<Skip>(answer.said), !answer.flags.empty()};
}

}  // namespace

std::int64_t Store::answer(const Assignment& assignment, const Answer& answer) {
  const auto said = prepare(answer, assignment.question);
  const auto& id = assignment.question.id;
  const auto& annotator = assignment.annotator;
  std::int64_t sequence = 0;
  state_->change([&](Database& database, Queue& queue) {
    const auto old = database.row(
        "SELECT a.sequence, e.body FROM answers a JOIN events e ON e.sequence = a.sequence WHERE a.assignment = ?",
        assignment.id);
    if (old && old->text(1) != said.body) {
      state_->contradiction("this assignment was answered already, and differently",
                            "Undo the first answer, then lease the question again.");
    }
    if (old) {
      sequence = old->integer(0);
      return;
    }
    const double now = state_->now();
    const auto before = queue.find(id);
    if (!before) state_->contradiction("it has no question \"" + id + "\"");
    const auto lease = database.row("SELECT active, lease_until FROM assignments WHERE project = ? AND id = ?",
                                    state_->project, assignment.id);
    const bool counted = lease && lease->integer(0) != 0;
    const bool in_time = counted && lease->real(1) > now;
    const auto earlier =
        database.row(std::string(given_columns) + "WHERE question = ? AND annotator = ? AND undone_by IS NULL",
                     before->sequence, annotator.name);
    const bool mine = earlier && earlier->integer(2) == before->place;
    // A lease that runs is a promise; after it has run out an answer is welcome while the question wants one.
    if (mine || (!in_time && !said.skip && !before->open())) {
      state_->contradiction("the lease on \"" + id + "\" ran out and the question has been answered since",
                            "Lease another question.");
    }
    auto after = *before;
    if (counted) --after.leased;
    const detail::Entry entry{.kind = "answer",
                              .question = id,
                              .annotator = annotator,
                              .guideline = guideline_in_force(database, state_->project, assignment.question.guideline),
                              .asked_at = assignment.leased_at,
                              .answered_at = now,
                              .revises = earlier ? earlier->integer(0) : 0,  // of a question that is asked anew
                              .body = said.body};
    sequence = detail::append(database, state_->project, entry);
    if (earlier) leave(database, queue, state_->project, given_of(*earlier), sequence, annotator, after);
    enter(database, queue, state_->project,
          {.sequence = sequence,
           .question = before->sequence,
           .place = before->place,
           .skip = said.skip,
           .flagged = said.flagged},
          assignment.id, annotator);
    if (!said.skip) ++after.given;
    if (said.flagged) ++after.flags;
    queue.save(*before, after);
    if (!counted) queue.mark_seen(annotator.name, before->place);
    if (lease) database.run("DELETE FROM assignments WHERE id = ?", assignment.id);
  });
  return sequence;
}

std::int64_t Store::revise(const Annotator& annotator, std::int64_t earlier, const Answer& answer) {
  const auto found = state_->readers.run([&](Database& database) {
    return database.row(
        "SELECT q.body, q.sequence, e.asked_at FROM answers a JOIN events e ON e.sequence = a.sequence"
        " JOIN events q ON q.sequence = a.question WHERE a.project = ? AND a.sequence = ? AND a.annotator = ?",
        state_->project, earlier, annotator.name);
  });
  if (!found) {
    state_->contradiction("event " + std::to_string(earlier) + " is no answer of " + annotator.name +
                          "; only one's own answers can be revised");
  }
  const auto question = detail::question_of(found->text(0), found->integer(1), state_->location);
  const auto said = prepare(answer, question);
  std::int64_t sequence = 0;
  state_->change([&](Database& database, Queue& queue) {
    const auto row = database.row(std::string(given_columns) + "WHERE sequence = ?", earlier);
    if (!row) state_->contradiction("event " + std::to_string(earlier) + " has been erased");
    const auto old = given_of(*row);
    if (old.undone_by != 0) {
      const auto by = database.row("SELECT kind, body FROM events WHERE sequence = ?", old.undone_by).value();
      if (by.text(0) != "answer" || by.text(1) != said.body)
        state_->contradiction("answer " + std::to_string(earlier) + " was taken back or replaced already");
      sequence = old.undone_by;
      return;
    }
    const auto before = queue.at(old.question);
    auto after = before;
    sequence = detail::append(database, state_->project,
                              {.kind = "answer",
                               .question = before.id,
                               .annotator = annotator,
                               .guideline = guideline_in_force(database, state_->project, question.guideline),
                               .asked_at = found->real(2),
                               .answered_at = state_->now(),
                               .revises = earlier,
                               .body = said.body});
    leave(database, queue, state_->project, old, sequence, annotator, after);
    enter(database, queue, state_->project,
          {.sequence = sequence,
           .question = old.question,
           .place = old.place,
           .skip = said.skip,
           .flagged = said.flagged},
          "revises/" + std::to_string(earlier), annotator);
    if (!said.skip && old.place == after.place) ++after.given;
    if (said.flagged) ++after.flags;
    queue.save(before, after);
  });
  return sequence;
}

std::int64_t Store::undo(const Annotator& annotator, std::int64_t answer) {
  std::int64_t sequence = 0;
  state_->change([&](Database& database, Queue& queue) {
    const auto row = database.row(std::string(given_columns) + "WHERE project = ? AND sequence = ? AND annotator = ?",
                                  state_->project, answer, annotator.name);
    if (!row) {
      state_->contradiction("event " + std::to_string(answer) + " is no answer of " + annotator.name +
                            "; only one's own answers can be taken back");
    }
    const auto old = given_of(*row);
    if (old.undone_by != 0) {
      const auto by = database.row("SELECT kind FROM events WHERE sequence = ?", old.undone_by).value();
      if (by.text(0) != "undo")
        state_->contradiction(
            "answer " + std::to_string(answer) + " was replaced by answer " + std::to_string(old.undone_by),
            "Take that one back.");
      sequence = old.undone_by;
      return;
    }
    const double now = state_->now();
    const auto before = queue.at(old.question);
    auto after = before;
    sequence = detail::append(database, state_->project,
                              {.kind = "undo",
                               .question = before.id,
                               .annotator = annotator,
                               .guideline = {},
                               .asked_at = now,
                               .answered_at = now,
                               .body = detail::dump(to_json(Undo{answer}))});
    leave(database, queue, state_->project, old, sequence, annotator, after);
    queue.save(before, after);
    if (old.place == before.place) queue.unmark_seen(annotator.name, before.place);
  });
  return sequence;
}

std::int64_t Store::signal(const Annotator& annotator, const ScalarSignal& signal) {
  const auto body = detail::dump(to_json(signal));
  std::int64_t sequence = 0;
  state_->change([&](Database& database, Queue&) {
    const auto old = database.number("SELECT sequence FROM signals WHERE project = ? AND session = ? AND number = ?",
                                     state_->project, signal.session, signal.number);
    if (old) {
      sequence = *old;
      return;
    }
    const double now = state_->now();
    sequence = detail::append(database, state_->project,
                              {.kind = "signal",
                               .question = signal.session,
                               .annotator = annotator,
                               .guideline = {},
                               .asked_at = now,
                               .answered_at = now,
                               .body = body});
    database.run("INSERT INTO signals VALUES (?, ?, ?, ?)", state_->project, signal.session, signal.number, sequence);
  });
  return sequence;
}

}  // namespace rlhf::feedback
