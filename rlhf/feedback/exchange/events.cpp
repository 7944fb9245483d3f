// The log itself: written without loss, and replayed.
#include <unordered_map>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/data/readers/jsonl.h"
#include "rlhf/feedback/exchange/files.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback::exchange {
namespace {

using nlohmann::json;

std::string_view kind_of(const EventBody& body) {
  static constexpr std::string_view names[] = {"question", "answer",    "undo",   "signal",
                                               "document", "redaction", "requeue"};
  return names[body.index()];
}

EventBody body_from(const std::string& kind, const json& record, const std::string& where) {
  if (kind == "question") return question_from_json(record, where);
  if (kind == "answer") return answer_from_json(record, where);
  if (kind == "undo") return undo_from_json(record, where);
  if (kind == "signal") return signal_from_json(record, where);
  if (kind == "document") return document_from_json(record, where);
  if (kind == "redaction") return redaction_from_json(record, where);
  if (kind == "requeue") return requeue_from_json(record, where);
  throw Error(
      {.category = Category::bad_data, .where = where, .what = "\"" + kind + "\" is no kind of event", .fix = ""});
}

}  // namespace

std::string events_text(const std::vector<Event>& events, Report& report) {
  std::string text;
  std::unordered_map<std::int64_t, std::int64_t> number;  // new by old: a store may have gaps
  for (auto event : events) {
    number[event.sequence] = ++report.rows;
    if (auto* undo = std::get_if<Undo>(&event.body)) undo->answer = number[undo->answer];
    Json row = {{"sequence", report.rows}, {"kind", kind_of(event.body)}, {"question", event.question}};
    if (!event.annotator.name.empty())
      row["annotator"] = event.annotator.name, row["source"] = source_name(event.annotator.source);
    row["guideline"] = event.guideline, row["asked_at"] = event.asked_at, row["answered_at"] = event.answered_at;
    if (event.revises > 0) row["revises"] = number[event.revises];
    row["body"] = std::visit([](const auto& body) { return to_json(body); }, event.body);
    text += row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return text;
}

std::vector<Event> read_events(const std::string& file) {
  std::vector<Event> events;
  auto reader = data::JsonlReader::open(file);
  while (const auto row = reader.next()) {
    const auto& value = row->value;
    Event event;
    event.sequence = column(value, "sequence", row->where).get<std::int64_t>();
    event.question = text_column(value, "question", row->where);
    event.body = body_from(text_column(value, "kind", row->where), column(value, "body", row->where), row->where);
    if (value.contains("annotator"))
      event.annotator = {text_column(value, "annotator", row->where),
                         source_from_name(text_column(value, "source", row->where), row->where)};
    event.guideline = value.value("guideline", "");
    event.asked_at = column(value, "asked_at", row->where).get<double>();
    event.answered_at = column(value, "answered_at", row->where).get<double>();
    event.revises = value.value("revises", std::int64_t{0});
    events.push_back(std::move(event));
  }
  return events;
}

void replay(const std::vector<Event>& events, const std::string& location, StoreOptions options) {
  const double today = wall_seconds();
  double now = today;
  options.now = [&now] { return now; };
  auto store = Store::open(location, options);
  std::unordered_map<std::int64_t, std::int64_t> number;  // in the store, by that of the event
  std::unordered_map<std::string, Question> questions;
  for (const auto& event : events) {
    now = event.answered_at > 0.0 ? event.answered_at : today;
    auto& stored = number[event.sequence];
    if (const auto* question = std::get_if<Question>(&event.body)) {
      store.publish(*question);
      questions.insert_or_assign(event.question, *question);
    } else if (const auto* answer = std::get_if<Answer>(&event.body)) {
      const auto known = questions.find(event.question);
      if (known == questions.end())
        throw Error({.category = Category::bad_data,
                     .where = "event " + std::to_string(event.sequence),
                     .what = "it answers \"" + event.question + "\", which was not asked before",
                     .fix = ""});
      // The id makes the same event the same answer, so that an import that was broken off can be repeated.
      const auto id = "import-" + sha256(options.project + "\n" + event.question + "\n" + event.annotator.name + "\n" +
                                         std::to_string(event.sequence))
                                      .substr(0, 32);
      stored =
          event.revises > 0
              ? store.revise(event.annotator, number[event.revises], *answer)
              : store.answer({id, known->second, event.annotator, event.asked_at > 0.0 ? event.asked_at : now, now},
                             *answer);
    } else if (const auto* undo = std::get_if<Undo>(&event.body)) {
      stored = store.undo(event.annotator, number[undo->answer]);
    } else if (const auto* signal = std::get_if<ScalarSignal>(&event.body)) {
      stored = store.signal(event.annotator, *signal);
    } else if (const auto* document = std::get_if<Document>(&event.body)) {
      stored = store.publish(*document);
    } else if (const auto* change = std::get_if<Requeue>(&event.body)) {
      stored = store.requeue(event.question, *change);
    }
  }
}

}  // namespace rlhf::feedback::exchange
