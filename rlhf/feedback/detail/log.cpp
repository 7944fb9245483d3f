#include "rlhf/feedback/detail/log.h"

#include "rlhf/feedback/record.h"

namespace rlhf::feedback::detail {

std::string dump(const nlohmann::json& record) {
  return record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::json parse(const std::string& text, const std::string& where) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception&) {
    throw Error(
        {.category = Category::bad_data, .where = where, .what = "the record is damaged: it is no JSON", .fix = ""});
  }
}

std::string place_of(const std::string& location, std::int64_t sequence) {
  return location + " event " + std::to_string(sequence);
}

std::int64_t append(Database& database, std::int64_t project, const Entry& entry) {
  return database
      .number(
          "INSERT INTO events (project, kind, question, annotator, source, guideline, asked_at, answered_at, revises,"
          " body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING sequence",
          project, entry.kind, entry.question, entry.annotator.name,
          entry.annotator.name.empty() ? std::string_view() : source_name(entry.annotator.source), entry.guideline,
          entry.asked_at, entry.answered_at, entry.revises, entry.body)
      .value();
}

namespace {

EventBody body_of(const std::string& kind, const nlohmann::json& record, const std::string& where) {
  if (kind == "question") return question_from_json(record, where);
  if (kind == "answer") return answer_from_json(record, where);
  if (kind == "undo") return undo_from_json(record, where);
  if (kind == "signal") return signal_from_json(record, where);
  if (kind == "document") return document_from_json(record, where);
  if (kind == "redaction") return redaction_from_json(record, where);
  return requeue_from_json(record, where);
}

}  // namespace

Event event_of(const Row& row, const std::string& location) {
  Event event;
  event.sequence = row.integer(0);
  const auto where = place_of(location, event.sequence);
  event.question = row.text(2);
  if (!row.text(3).empty()) event.annotator = {.name = row.text(3), .source = source_from_name(row.text(4), where)};
  event.guideline = row.text(5);
  event.asked_at = row.real(6);
  event.answered_at = row.real(7);
  event.body = body_of(row.text(1), parse(row.text(8), where), where);
  event.revises = row.integer(9);
  return event;
}

std::vector<Event> events_of(const Rows& rows, const std::string& location) {
  std::vector<Event> events;
  for (const auto& row : rows) events.push_back(event_of(row, location));
  return events;
}

Question question_of(const std::string& body, std::int64_t sequence, const std::string& location) {
  const auto where = place_of(location, sequence);
  return question_from_json(parse(body, where), where);
}

}  // namespace rlhf::feedback::detail
