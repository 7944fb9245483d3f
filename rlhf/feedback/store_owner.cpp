#include <algorithm>

#include "rlhf/feedback/detail/store_state.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback {
namespace {

using detail::Database;
using detail::Queue;

constexpr std::array standings = {"active", "paused", "revoked"};

AnnotatorRecord record_of(const detail::Row& row, const std::string& where) {
  AnnotatorRecord record;
  record.name = row.text(0);
  record.source = source_from_name(row.text(1), where);
  const auto standing = std::find(standings.begin(), standings.end(), row.text(2)) - standings.begin();
  record.standing = static_cast<Standing>(standing);
  record.quota = row.integer(3);
  record.passed = detail::parse(row.text(4), where).get<std::vector<std::string>>();
  record.profile = detail::parse(row.text(5), where);
  return record;
}

/// Of a row of body and sequence number.
Document document_of(const detail::Row& row, const std::string& location) {
  const auto where = detail::place_of(location, row.integer(1));
  return document_from_json(detail::parse(row.text(0), where), where);
}

/// Questions asked under earlier versions of a guideline, or under none, go to the end of their lanes with no answer
/// counted: everybody may be asked again, and a new answer replaces the annotator's earlier one. Whoever has one on the
/// screen keeps it.
void ask_again(Database& database, Queue& queue, std::int64_t project, const Document& guideline) {
  const auto rows = database.query(
      "SELECT q.sequence FROM questions q JOIN events e ON e.sequence = q.sequence WHERE q.project = ? AND e.guideline "
      "<> ?"
      " AND e.guideline NOT IN (SELECT version FROM documents WHERE project = ? AND kind = 'guideline' AND name <> ?)"
      " ORDER BY q.rank, q.place",
      project, guideline.version, project, guideline.name);
  for (const auto& row : rows) {
    const auto before = queue.at(row.integer(0));
    auto after = before;
    after.given = 0;
    queue.save(before, after);
    const auto place = queue.move_to_end(before.sequence);
    for (const auto& lease :
         database.query("SELECT annotator FROM assignments WHERE question = ? AND project = ? AND active = 1",
                        before.sequence, project))
      queue.mark_seen(lease.text(0), place);
  }
}

}  // namespace

std::int64_t Store::publish(const Document& document) {
  const auto body = detail::dump(to_json(document));
  std::int64_t sequence = 0;
  state_->change([&](Database& database, Queue& queue) {
    const auto old = database.row(
        "SELECT d.sequence, e.body FROM documents d JOIN events e ON e.sequence = d.sequence"
        " WHERE d.project = ? AND d.kind = ? AND d.name = ? ORDER BY d.sequence DESC LIMIT 1",
        state_->project, document.kind, document.name);
    if (old && old->text(1) == body) {
      sequence = old->integer(0);
      return;
    }
    const double now = state_->now();
    sequence = detail::append(database, state_->project,
                              {.kind = "document",
                               .question = {},
                               .annotator = {},
                               .guideline = document.kind == "guideline" ? document.version : "",
                               .asked_at = now,
                               .answered_at = now,
                               .body = body});
    database.run("INSERT INTO documents VALUES (?, ?, ?, ?, ?)", sequence, state_->project, document.kind,
                 document.name, document.version);
    if (document.ask_again) ask_again(database, queue, state_->project, document);
  });
  return sequence;
}

std::optional<Document> Store::document(std::string_view kind, std::string_view name) const {
  const auto row = state_->readers.run([&](Database& database) {
    return database.row(
        "SELECT e.body, e.sequence FROM documents d JOIN events e ON e.sequence = d.sequence"
        " WHERE d.project = ? AND d.kind = ? AND d.name = ? ORDER BY d.sequence DESC LIMIT 1",
        state_->project, kind, name);
  });
  return row ? std::optional(document_of(*row, state_->location)) : std::nullopt;
}

std::vector<Document> Store::documents(std::string_view kind) const {
  const auto rows = state_->readers.run([&](Database& database) {
    return database.query(
        "SELECT body, sequence FROM events WHERE sequence IN"
        " (SELECT max(sequence) FROM documents WHERE project = ? AND kind = ? GROUP BY name) ORDER BY sequence",
        state_->project, kind);
  });
  std::vector<Document> documents;
  for (const auto& row : rows) documents.push_back(document_of(row, state_->location));
  return documents;
}

std::int64_t Store::requeue(const std::string& question, const Requeue& change) {
  if (change.answers && *change.answers < 1) {
    throw Error({.category = Category::bad_data,
                 .where = "question " + question,
                 .what = "it must want at least one answer",
                 .fix = "Withdraw the question to have it asked no more."});
  }
  const auto body = detail::dump(to_json(change));
  std::int64_t sequence = 0;
  state_->change([&](Database& database, Queue& queue) {
    const auto before = queue.find(question);
    if (!before) state_->contradiction("it has no question \"" + question + "\"");
    auto after = *before;
    if (change.priority) after.rank = -*change.priority;
    if (change.answers) after.wanted = *change.answers;
    if (change.withdrawn) after.withdrawn = *change.withdrawn;
    queue.save(*before, after);
    const double now = state_->now();
    sequence = detail::append(database, state_->project,
                              {.kind = "requeue",
                               .question = question,
                               .annotator = {},
                               .guideline = {},
                               .asked_at = now,
                               .answered_at = now,
                               .body = body});
  });
  return sequence;
}

std::vector<AnnotatorRecord> Store::annotators() const {
  const auto rows = state_->readers.run([&](Database& database) {
    return database.query(
        "SELECT name, source, standing, quota, passed, profile FROM annotators WHERE project = ? ORDER BY name",
        state_->project);
  });
  std::vector<AnnotatorRecord> records;
  for (const auto& row : rows) records.push_back(record_of(row, state_->location));
  return records;
}

void Store::set(const AnnotatorRecord& record) {
  const auto passed = detail::dump(nlohmann::json(record.passed)), profile = detail::dump(record.profile);
  state_->change([&](Database& database, Queue&) {
    database.run(
        "INSERT INTO annotators (project, name, source, standing, quota, passed, profile) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (project, name) DO UPDATE SET source = excluded.source, standing = excluded.standing,"
        " quota = excluded.quota, passed = excluded.passed, profile = excluded.profile",
        state_->project, record.name, source_name(record.source), standings[static_cast<std::size_t>(record.standing)],
        record.quota, passed, profile);
  });
}

std::int64_t Store::answered_by(std::string_view annotator) const {
  return state_->readers.run([&](Database& database) {
    return database.number("SELECT answered FROM annotators WHERE project = ? AND name = ?", state_->project, annotator)
        .value_or(0);
  });
}

/// From the newest answer back, until a whole page of them is older.
std::int64_t Store::answered_by(std::string_view annotator, double since) const {
  constexpr std::int64_t page = 64;
  return state_->readers.run([&](Database& database) {
    std::int64_t count = 0;
    for (auto before = INT64_MAX;;) {
      const auto rows = database.query(
          "SELECT a.sequence, a.skip, e.answered_at FROM answers a JOIN events e ON e.sequence = a.sequence"
          " WHERE a.project = ? AND a.annotator = ? AND a.sequence < ? AND a.undone_by IS NULL"
          " ORDER BY a.sequence DESC LIMIT ?",
          state_->project, annotator, before, page);
      const auto late = [&](const detail::Row& row) { return row.real(2) >= since; };
      count +=
          std::count_if(rows.begin(), rows.end(), [&](const detail::Row& row) { return late(row) && !row.integer(1); });
      if (std::ssize(rows) < page || std::none_of(rows.begin(), rows.end(), late)) return count;
      before = rows.back().integer(0);
    }
  });
}

std::int64_t Store::erase(std::string_view annotator, const std::string& reason) {
  const auto project = state_->project;
  std::int64_t events = 0;
  state_->change([&](Database& database, Queue& queue) {
    for (const auto& lease :
         database.query("SELECT id FROM assignments WHERE project = ? AND annotator = ?", project, annotator))
      queue.release(lease.text(0));
    const auto answers = database.query(
        "SELECT question, place, skip, flagged, undone_by FROM answers WHERE project = ? AND annotator = ?", project,
        annotator);
    for (const auto& row : answers) {
      const bool skip = row.integer(2) != 0, stands = row.is_null(4);
      --(!stands ? queue.tally.undone : skip ? queue.tally.skips : queue.tally.answers);
      if (!stands) continue;
      const auto before = queue.at(row.integer(0));
      auto after = before;
      if (!skip && row.integer(1) == before.place) --after.given;
      if (row.integer(3) != 0) --after.flags;
      queue.save(before, after);
    }
    events = database
                 .number("SELECT count(*) FROM events WHERE project = ? AND annotator = ? AND annotator <> ''", project,
                         annotator)
                 .value_or(0);
    database.run("INSERT INTO erasing VALUES (?, ?)", project, annotator);
    database.run(
        "DELETE FROM signals WHERE project = ? AND sequence IN"
        " (SELECT sequence FROM events WHERE project = ? AND annotator = ? AND annotator <> '')",
        project, project, annotator);
    database.run("DELETE FROM events WHERE project = ? AND annotator = ? AND annotator <> ''", project, annotator);
    database.run("DELETE FROM erasing WHERE project = ? AND annotator = ?", project, annotator);
    database.run("DELETE FROM answers WHERE project = ? AND annotator = ?", project, annotator);
    database.run("DELETE FROM seen WHERE project = ? AND annotator = ?", project, annotator);
    // Somebody who was shut out stays shut out; nothing else is kept of him.
    database.run("DELETE FROM annotators WHERE project = ? AND name = ? AND standing = 'active'", project, annotator);
    database.run("UPDATE annotators SET profile = 'null', passed = '[]', answered = 0 WHERE project = ? AND name = ?",
                 project, annotator);
    const double now = state_->now();
    detail::append(database, project,
                   {.kind = "redaction",
                    .question = {},
                    .annotator = {},
                    .guideline = {},
                    .asked_at = now,
                    .answered_at = now,
                    .body = detail::dump(to_json(Redaction{.events = events, .reason = reason}))});
  });
  state_->writer.alone([](Database& database) { database.scrub(); });
  return events;
}

void Store::backup(const std::filesystem::path& file) const {
  state_->readers.run([&](Database& database) { database.copy_to(file); });
}

}  // namespace rlhf::feedback
