#include <algorithm>
#include <random>

#include "rlhf/feedback/detail/store_state.h"
#include "rlhf/feedback/detail/token.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback {
namespace {

using detail::Database;
using detail::Queue;
using detail::Queued;
using detail::Row;

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

/// What an annotator may still be asked.
struct Permit {
  bool active = true;
  std::vector<std::string> passed;
};

Permit permit_of(Database& database, std::int64_t project, const std::string& name) {
  const auto row = database.row(
      "SELECT standing, quota, passed, answered FROM annotators WHERE project = ? AND name = ?", project, name);
  if (!row) return {};
  Permit permit{.active = row->text(0) == "active", .passed = detail::parse(row->text(2), database.location())};
  if (const auto quota = row->integer(1); quota > 0) {
    const auto holds = database.number(
        "SELECT count(*) FROM assignments WHERE project = ? AND annotator = ? AND active = 1", project, name);
    permit.active = permit.active && row->integer(3) + holds.value_or(0) < quota;
  }
  return permit;
}

struct LaneRow {
  std::int64_t id;
  std::string round, form;
  bool gold;
};

/// The lanes open to an annotator, by preference: all of one group are compared before the next group is looked at.
std::vector<std::vector<LaneRow>> lanes_for(Database& database, std::int64_t project, const std::string& name,
                                            const LeaseOptions& options, const Permit& permit, bool want_gold) {
  std::vector<LaneRow> lanes;
  for (const auto& row : database.query(
           "SELECT id, round, form, gold FROM lanes WHERE project = ? AND reserved_for IN ('', ?)", project, name)) {
    if (options.forms.empty() || contains(options.forms, row.text(2)))
      lanes.push_back({row.integer(0), row.text(1), row.text(2), row.integer(3) != 0});
  }
  std::vector<std::vector<LaneRow>> groups;
  const auto take = [&](const auto& wanted) {
    groups.emplace_back();
    std::copy_if(lanes.begin(), lanes.end(), std::back_inserter(groups.back()), wanted);
  };
  for (const auto& round : options.required_rounds) {
    if (!contains(permit.passed, round)) take([&](const LaneRow& lane) { return lane.round == round; });
  }
  if (!groups.empty()) return groups;
  if (want_gold) take([](const LaneRow& lane) { return lane.round.empty() && lane.gold; });
  take([](const LaneRow& lane) { return lane.round.empty() && !lane.gold; });
  return groups;
}

std::optional<Queued> choose(Queue& queue, const std::vector<std::vector<LaneRow>>& groups, const std::string& name) {
  for (const auto& group : groups) {
    std::optional<Queued> best;
    for (const auto& lane : group) {
      auto found = queue.first(lane.id, name);
      if (found && (!best || std::pair(found->rank, found->place) < std::pair(best->rank, best->place)))
        best = std::move(found);
    }
    if (best) return best;
  }
  return std::nullopt;
}

/// A lease as it was granted; the question's text is read into memory by the thread that asked.
struct Granted {
  Queued question;
  std::string body;
  double leased_at, lease_until;
};

Granted grant(Database& database, Queue& queue, std::int64_t project, const std::string& id, const Annotator& annotator,
              const Queued& before, double now, double until) {
  database.run("INSERT INTO assignments VALUES (?, ?, ?, ?, ?, ?, ?, 1)", id, project, before.sequence, annotator.name,
               source_name(annotator.source), now, until);
  auto after = before;
  ++after.leased;
  queue.save(before, after);
  queue.mark_seen(annotator.name, before.place);
  const auto body = database.row("SELECT body FROM events WHERE sequence = ?", before.sequence);
  return {before, body.value().text(0), now, until};
}

constexpr const char* assignment_columns =
    "SELECT a.id, a.annotator, a.source, a.leased_at, a.lease_until, e.body, e.sequence FROM assignments a"
    " JOIN events e ON e.sequence = a.question ";

Assignment assignment_of(const Row& row, const std::string& location) {
  return {.id = row.text(0),
          .question = detail::question_of(row.text(5), row.integer(6), location),
          .annotator = {.name = row.text(1), .source = source_from_name(row.text(2), location)},
          .leased_at = row.real(3),
          .lease_until = row.real(4)};
}

Assignment assignment_of(const std::string& id, const Granted& granted, const Annotator& annotator,
                         const std::string& location) {
  return {.id = id,
          .question = detail::question_of(granted.body, granted.question.sequence, location),
          .annotator = annotator,
          .leased_at = granted.leased_at,
          .lease_until = granted.lease_until};
}

bool chance(double share) {
  if (share <= 0) return false;
  thread_local std::mt19937_64 random{std::random_device{}()};
  return std::uniform_real_distribution(0.0, 1.0)(random) < share;
}

}  // namespace

std::optional<Assignment> Store::lease(const Annotator& annotator, std::chrono::duration<double> timeout) {
  return lease(annotator, {.timeout = timeout, .forms = {}, .required_rounds = {}});
}

std::optional<Assignment> Store::lease(const Annotator& annotator, const LeaseOptions& options) {
  const auto id = detail::random_token();
  const bool want_gold = chance(options.gold_share);
  std::optional<Granted> granted;
  state_->change([&](Database& database, Queue& queue) {
    granted.reset();
    const double now = state_->now();
    queue.expire(now);
    const auto permit = permit_of(database, state_->project, annotator.name);
    if (!permit.active) return;
    const auto groups = lanes_for(database, state_->project, annotator.name, options, permit, want_gold);
    const auto found = choose(queue, groups, annotator.name);
    if (!found) return;
    granted = grant(database, queue, state_->project, id, annotator, *found, now, now + options.timeout.count());
  });
  if (!granted) return std::nullopt;
  return assignment_of(id, *granted, annotator, state_->location);
}

std::optional<Assignment> Store::lease_question(const Annotator& annotator, const std::string& question,
                                                std::chrono::duration<double> timeout) {
  const auto id = detail::random_token();
  std::optional<Granted> granted;
  state_->change([&](Database& database, Queue& queue) {
    granted.reset();
    const double now = state_->now();
    queue.expire(now);
    const auto found = queue.find(question);
    if (!found || !found->waiting() || !permit_of(database, state_->project, annotator.name).active) return;
    const auto reserved = database.row("SELECT reserved_for FROM lanes WHERE id = ?", found->lane).value().text(0);
    if (queue.has_seen(annotator.name, found->place) || (!reserved.empty() && reserved != annotator.name)) return;
    granted = grant(database, queue, state_->project, id, annotator, *found, now, now + timeout.count());
  });
  if (!granted) return std::nullopt;
  return assignment_of(id, *granted, annotator, state_->location);
}

std::vector<Assignment> Store::held(const Annotator& annotator) const {
  static const auto sql =
      std::string(assignment_columns) +
      "WHERE a.project = ? AND a.annotator = ? AND a.active = 1 AND a.lease_until > ?"
      " AND NOT EXISTS (SELECT 1 FROM questions w WHERE w.sequence = a.question AND w.withdrawn = 1)"
      " ORDER BY a.leased_at, a.question";
  const auto rows = state_->readers.run(
      [&](Database& database) { return database.query(sql, state_->project, annotator.name, state_->now()); });
  std::vector<Assignment> held;
  for (const auto& row : rows) held.push_back(assignment_of(row, state_->location));
  return held;
}

std::optional<Assignment> Store::assignment(const std::string& id) const {
  static const auto leased = std::string(assignment_columns) + "WHERE a.project = ? AND a.id = ?";
  // One that was answered is known by its answer: repeating the answer has to find it.
  static const auto answered =
      "SELECT a.assignment, e.annotator, e.source, e.asked_at, e.answered_at, q.body, q.sequence FROM answers a"
      " JOIN events e ON e.sequence = a.sequence JOIN events q ON q.sequence = a.question"
      " WHERE a.project = ? AND a.assignment = ?";
  auto row = state_->readers.run([&](Database& database) {
    auto found = database.row(leased, state_->project, id);
    return found ? found : database.row(answered, state_->project, id);
  });
  return row ? std::optional(assignment_of(*row, state_->location)) : std::nullopt;
}

bool Store::extend(const std::string& assignment, std::chrono::duration<double> timeout) {
  bool kept = false;
  state_->change([&](Database& database, Queue& queue) {
    kept = false;
    const double now = state_->now();
    queue.expire(now);
    const auto lease = database.row("SELECT active, question, annotator FROM assignments WHERE project = ? AND id = ?",
                                    state_->project, assignment);
    if (!lease) return;
    if (lease->integer(0) == 0) {  // it ran out; nobody else took the place, so it goes on
      const auto before = queue.at(lease->integer(1));
      if (!before.waiting() || queue.has_seen(lease->text(2), before.place)) return;
      auto after = before;
      ++after.leased;
      queue.save(before, after);
      queue.mark_seen(lease->text(2), before.place);
    }
    database.run("UPDATE assignments SET active = 1, lease_until = ? WHERE id = ?", now + timeout.count(), assignment);
    kept = true;
  });
  return kept;
}

void Store::release(const Assignment& assignment) {
  state_->change([&](Database&, Queue& queue) { queue.release(assignment.id); });
}

void Store::release_all(const Annotator& annotator) {
  state_->change([&](Database& database, Queue& queue) {
    for (const auto& row : database.query("SELECT id FROM assignments WHERE project = ? AND annotator = ?",
                                          state_->project, annotator.name))
      queue.release(row.text(0));
  });
}

}  // namespace rlhf::feedback
