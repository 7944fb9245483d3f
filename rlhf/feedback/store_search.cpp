#include <algorithm>
#include <cctype>

#include "rlhf/feedback/detail/store_state.h"

namespace rlhf::feedback {
namespace {

using detail::Database;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char each) { return std::tolower(each); });
  return text;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char each : lower(text)) {
    if (each != ' ') {
      words.back() += each;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

/// What a search looks through: prompt, items and comment.
std::string searched(const Question& question, const Answer& answer) {
  std::string text = question.prompt.text + '\n' + answer.comment;
  for (const auto& message : question.prompt.messages) text += '\n' + message.content;
  for (const auto& item : question.items) text += '\n' + item.text;
  return lower(text);
}

std::int64_t newest_first(std::int64_t before) { return before > 0 ? before : INT64_MAX; }

}  // namespace

/// A scan from the newest answer back, of one annotator's or one question's answers alone where that is asked: it stops
/// at the limit, and readers hold up no writer.
std::vector<Event> Store::search(const Search& wanted) const {
  const auto is = [](const char* column, const std::string& value) {
    return value.empty() ? std::string(" AND ? = ''") : std::string(" AND ") + column + " = ?";
  };
  const auto sql = std::string("SELECT ") + detail::event_columns +
                   ", q.body, q.sequence FROM answers a JOIN events e ON e.sequence = a.sequence"
                   " JOIN events q ON q.sequence = a.question"
                   " JOIN questions w ON w.sequence = a.question AND w.project = a.project"
                   " JOIN lanes l ON l.id = w.lane"
                   " WHERE a.project = ? AND a.sequence < ? AND a.undone_by IS NULL" +
                   is("a.annotator", wanted.annotator) + is("l.form", wanted.form) + is("w.id", wanted.question) +
                   " AND a.flagged >= ? AND a.skip >= ? ORDER BY a.sequence DESC LIMIT ?";
  const auto words = words_of(wanted.text);
  const std::int64_t page = words.empty() ? wanted.limit : 500;
  std::vector<Event> found;
  for (auto before = newest_first(wanted.before);;) {
    const auto rows = state_->readers.run([&](Database& database) {
      return database.query(sql, state_->project, before, wanted.annotator, wanted.form, wanted.question,
                            wanted.flagged, wanted.skipped, page);
    });
    for (const auto& row : rows) {
      auto event = detail::event_of(row, state_->location);
      if (!words.empty()) {
        const auto question = detail::question_of(row.text(10), row.integer(11), state_->location);
        const auto text = searched(question, std::get<Answer>(event.body));
        const auto has = [&](const std::string& word) { return text.find(word) != std::string::npos; };
        if (!std::all_of(words.begin(), words.end(), has)) continue;
      }
      found.push_back(std::move(event));
      if (std::ssize(found) == wanted.limit) return found;
    }
    if (std::ssize(rows) < page) return found;
    before = rows.back().integer(0);
  }
}

std::vector<Event> Store::answers_to(const std::string& question) const {
  static const auto sql =
      std::string("SELECT ") + detail::event_columns +
      " FROM questions q JOIN answers a ON a.question = q.sequence JOIN events e ON e.sequence = a.sequence"
      " WHERE q.project = ? AND q.id = ? AND a.undone_by IS NULL ORDER BY a.sequence";
  return detail::events_of(
      state_->readers.run([&](Database& database) { return database.query(sql, state_->project, question); }),
      state_->location);
}

std::vector<QueueEntry> Store::queue(const QueueFilter& filter) const {
  using Wanted = QueueFilter::State;
  const auto condition = [&]() -> std::string {
    switch (filter.state) {
      case Wanted::open:
        return " AND q.withdrawn = 0 AND q.given < q.wanted";
      case Wanted::leased:
        return " AND q.leased > 0";
      case Wanted::done:
        return " AND q.withdrawn = 0 AND q.given >= q.wanted";
      case Wanted::flagged:
        return " AND q.flags > 0";
      case Wanted::withdrawn:
        return " AND q.withdrawn = 1";
      case Wanted::any:
        break;
    }
    return "";
  }();
  const auto sql =
      "SELECT q.sequence, e.body, q.wanted, q.given, q.leased, q.flags, q.rank, q.withdrawn FROM questions q"
      " JOIN events e ON e.sequence = q.sequence JOIN lanes l ON l.id = q.lane"
      " WHERE q.project = ? AND q.sequence < ? AND (? = '' OR l.form = ?)" +
      condition + " ORDER BY q.sequence DESC LIMIT ?";
  const auto rows = state_->readers.run([&](Database& database) {
    return database.query(sql, state_->project, newest_first(filter.before), filter.form, filter.form, filter.limit);
  });
  std::vector<QueueEntry> entries;
  for (const auto& row : rows) {
    entries.push_back({.sequence = row.integer(0),
                       .question = detail::question_of(row.text(1), row.integer(0), state_->location),
                       .wanted = row.integer(2),
                       .given = row.integer(3),
                       .leased = row.integer(4),
                       .flags = row.integer(5),
                       .priority = -row.real(6),
                       .withdrawn = row.integer(7) != 0});
  }
  return entries;
}

std::vector<Question> Store::questions_of_round(std::string_view round) const {
  const auto rows = state_->readers.run([&](Database& database) {
    return database.query(
        "SELECT e.body, q.sequence FROM lanes l JOIN questions q ON q.project = l.project AND q.lane = l.id JOIN "
        "events e ON e.sequence = "
        "q.sequence"
        " WHERE l.project = ? AND l.round = ? ORDER BY q.sequence",
        state_->project, round);
  });
  std::vector<Question> questions;
  for (const auto& row : rows) questions.push_back(detail::question_of(row.text(0), row.integer(1), state_->location));
  return questions;
}

Counts Store::counts() const {
  return state_->readers.run([&](Database& database) -> Counts {
    const auto row = database.row(
        "SELECT questions, open, answers, skips, undone,"
        " (SELECT count(*) FROM assignments a WHERE a.project = p.id AND a.active = 1 AND a.lease_until > ?)"
        " FROM projects p WHERE p.id = ?",
        state_->now(), state_->project);
    if (!row) return {};
    return {.questions = row->integer(0),
            .open = row->integer(1),
            .leased = row->integer(5),
            .answers = row->integer(2),
            .skips = row->integer(3),
            .undone = row->integer(4)};
  });
}

std::vector<std::string> Store::projects() const {
  const auto rows =
      state_->readers.run([](Database& database) { return database.query("SELECT name FROM projects ORDER BY name"); });
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.text(0));
  return names;
}

}  // namespace rlhf::feedback
