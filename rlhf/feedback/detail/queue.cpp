#include "rlhf/feedback/detail/queue.h"

#include <limits>

namespace rlhf::feedback::detail {
namespace {

constexpr const char* columns = "sequence, id, lane, rank, place, wanted, given, leased, flags, withdrawn";

Queued queued_of(const Row& row) {
  return {.sequence = row.integer(0),
          .id = row.text(1),
          .lane = row.integer(2),
          .rank = row.real(3),
          .place = row.integer(4),
          .wanted = row.integer(5),
          .given = row.integer(6),
          .leased = row.integer(7),
          .flags = row.integer(8),
          .withdrawn = row.integer(9) != 0};
}

constexpr double abandoned_after = 30 * 86400.0;  // seconds; nobody answers under such a lease any more

}  // namespace

std::optional<Queued> Queue::find(std::string_view id) {
  static const auto sql = std::string("SELECT ") + columns + " FROM questions WHERE project = ? AND id = ?";
  const auto row = database_.row(sql, project_, id);
  return row ? std::optional(queued_of(*row)) : std::nullopt;
}

Queued Queue::at(std::int64_t sequence) {
  static const auto sql = std::string("SELECT ") + columns + " FROM questions WHERE sequence = ?";
  return queued_of(database_.row(sql, sequence).value());
}

std::int64_t Queue::lane_of(const Question& question) {
  const Lane lane{question.reserved_for, question.round, question.form.name, question.gold != nullptr};
  auto& id = lanes_[lane];
  if (id != 0) return id;
  database_.run(
      "INSERT INTO lanes (project, reserved_for, round, gold, form) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      project_, lane.reserved_for, lane.round, lane.gold, lane.form);
  const auto found = database_.number(
      "SELECT id FROM lanes WHERE project = ? AND reserved_for = ? AND round = ? AND gold = ? AND form = ?", project_,
      lane.reserved_for, lane.round, lane.gold, lane.form);
  return id = found.value();
}

std::int64_t Queue::new_place() {
  if (places_ == 0) next_place_ = database_.number("SELECT places FROM projects WHERE id = ?", project_).value();
  ++places_;
  return ++next_place_;
}

std::int64_t Queue::move_to_end(std::int64_t sequence) {
  const auto place = new_place();
  database_.run("UPDATE questions SET place = ? WHERE sequence = ?", place, sequence);
  return place;
}

void Queue::add(const Question& question, std::int64_t sequence) {
  database_.run("INSERT INTO questions (sequence, project, id, lane, rank, place, wanted) VALUES (?, ?, ?, ?, ?, ?, ?)",
                sequence, project_, question.id, lane_of(question), -question.priority, new_place(), question.answers);
  ++tally.questions;
  ++tally.open;
}

void Queue::save(const Queued& before, const Queued& after) {
  database_.run(
      "UPDATE questions SET rank = ?, wanted = ?, given = ?, leased = ?, flags = ?, withdrawn = ? WHERE sequence = ?",
      after.rank, after.wanted, after.given, after.leased, after.flags, after.withdrawn, after.sequence);
  tally.open += static_cast<int>(after.open()) - static_cast<int>(before.open());
}

std::optional<Queued> Queue::first(std::int64_t lane, std::string_view annotator) {
  // Walks along the lane inside the database. At each step, `past` is the end of the run of seen places in which the
  // candidate lies, and the next candidate is looked up behind it: a run of any length is one step. The first candidate
  // in no run is the answer.
  static const auto sql = std::string(
      "WITH RECURSIVE walk (found, rank, past) AS ("
      " SELECT CAST(0 AS BIGINT), CAST(? AS DOUBLE PRECISION), CAST(0 AS BIGINT)"
      " UNION ALL"
      " SELECT q.sequence, q.rank, (SELECT s.high FROM seen s WHERE s.project = q.project AND s.annotator = ?"
      "   AND s.low = (SELECT max(t.low) FROM seen t WHERE t.project = q.project AND t.annotator = ? AND t.low <= "
      "q.place)"
      "   AND s.high >= q.place)"
      " FROM walk w JOIN questions q ON q.sequence = (SELECT n.sequence FROM questions n WHERE n.lane = ?"
      "   AND n.withdrawn = 0 AND n.wanted > n.given + n.leased AND (n.rank, n.place) > (w.rank, w.past)"
      "   ORDER BY n.rank, n.place LIMIT 1)"
      " WHERE w.past IS NOT NULL"
      ") SELECT found FROM walk WHERE past IS NULL LIMIT 1");
  const auto found = database_.number(sql, std::numeric_limits<double>::lowest(), annotator, annotator, lane);
  return found ? std::optional(at(*found)) : std::nullopt;
}

bool Queue::has_seen(std::string_view annotator, std::int64_t place) {
  // Runs do not overlap: only the last that begins before the place can hold it.
  const auto high = database_.number(
      "SELECT high FROM seen WHERE project = ? AND annotator = ? AND low <= ? ORDER BY low DESC LIMIT 1", project_,
      annotator, place);
  return high.value_or(std::numeric_limits<std::int64_t>::lowest()) >= place;
}

void Queue::mark_seen(std::string_view annotator, std::int64_t place) {
  const auto runs = database_.query(
      "SELECT low, high FROM seen WHERE project = ? AND annotator = ? AND low <= ? ORDER BY low DESC LIMIT 2", project_,
      annotator, place + 1);
  auto low = place, high = place;
  for (const auto& run : runs) {
    if (run.integer(0) <= place && run.integer(1) >= place) return;  // is in it already
    if (run.integer(0) == place + 1) {
      high = run.integer(1);
      database_.run("DELETE FROM seen WHERE project = ? AND annotator = ? AND low = ?", project_, annotator, place + 1);
    }
    if (run.integer(1) == place - 1) low = run.integer(0);
  }
  database_.run(
      "INSERT INTO seen VALUES (?, ?, ?, ?) ON CONFLICT (project, annotator, low) DO UPDATE SET high = excluded.high",
      project_, annotator, low, high);
}

void Queue::unmark_seen(std::string_view annotator, std::int64_t place) {
  const auto run = database_.row(
      "SELECT low, high FROM seen WHERE project = ? AND annotator = ? AND low <= ? ORDER BY low DESC LIMIT 1", project_,
      annotator, place);
  if (!run || run->integer(1) < place) return;
  const auto low = run->integer(0), high = run->integer(1);
  database_.run("DELETE FROM seen WHERE project = ? AND annotator = ? AND low = ?", project_, annotator, low);
  if (low < place) database_.run("INSERT INTO seen VALUES (?, ?, ?, ?)", project_, annotator, low, place - 1);
  if (high > place) database_.run("INSERT INTO seen VALUES (?, ?, ?, ?)", project_, annotator, place + 1, high);
}

void Queue::expire(double now) {
  const auto ended = database_.query(
      "SELECT id, question, annotator FROM assignments WHERE project = ? AND active = 1 AND lease_until <= ?", project_,
      now);
  for (const auto& lease : ended) {
    database_.run("UPDATE assignments SET active = 0 WHERE id = ?", lease.text(0));
    const auto before = at(lease.integer(1));
    auto after = before;
    --after.leased;
    save(before, after);
    unmark_seen(lease.text(2), before.place);
  }
  if (ended.empty()) return;
  database_.run("DELETE FROM assignments WHERE project = ? AND active = 0 AND lease_until <= ?", project_,
                now - abandoned_after);
}

void Queue::release(std::string_view assignment) {
  const auto lease =
      database_.row("DELETE FROM assignments WHERE id = ? AND project = ? RETURNING question, annotator, active",
                    assignment, project_);
  if (!lease || lease->integer(2) == 0) return;
  const auto before = at(lease->integer(0));
  auto after = before;
  --after.leased;
  save(before, after);
  unmark_seen(lease->text(1), before.place);
}

void Queue::close() {
  if (places_ == 0 && tally.questions == 0 && tally.open == 0 && tally.answers == 0 && tally.skips == 0 &&
      tally.undone == 0)
    return;
  database_.run(
      "UPDATE projects SET places = places + ?, questions = questions + ?, open = open + ?, answers = answers + ?,"
      " skips = skips + ?, undone = undone + ? WHERE id = ?",
      places_, tally.questions, tally.open, tally.answers, tally.skips, tally.undone, project_);
}

}  // namespace rlhf::feedback::detail
