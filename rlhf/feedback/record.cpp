// Questions, and the smaller entries of the log, as JSON.
#include "rlhf/feedback/record.h"

#include <string>

#include "rlhf/core/error.h"
#include "rlhf/feedback/detail/json_field.h"
#include "rlhf/feedback/detail/record_version.h"

namespace rlhf::feedback {
namespace {

using detail::enum_of;
using detail::field;
using detail::field_or;
using detail::name_of;
using nlohmann::json;

constexpr detail::Names<Split, 2> split_names = {{{Split::train, "train"}, {Split::heldout, "heldout"}}};
constexpr detail::Names<Source, 3> source_names = {
    {{Source::human, "human"}, {Source::model, "model"}, {Source::simulated, "simulated"}}};

json to_json(const Hint& hint) {
  return {{"text", hint.text}, {"item", hint.item}, {"begin", hint.begin}, {"end", hint.end}};
}

Hint hint_from(const json& record, std::string_view where) {
  return {.text = field<std::string>(record, "text", where),
          .item = field_or(record, "item", where, 0),
          .begin = field_or<std::int64_t>(record, "begin", where, 0),
          .end = field_or<std::int64_t>(record, "end", where, 0)};
}

json to_json(const data::Prompt& prompt) {
  auto messages = json::array();
  for (const auto& message : prompt.messages) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
    if (!message.extra.is_null()) messages.back()["extra"] = message.extra;
  }
  return {{"id", prompt.id}, {"text", prompt.text}, {"messages", messages}, {"ids", prompt.ids}, {"row", prompt.row}};
}

data::Prompt prompt_from(const json& record, std::string_view where) {
  data::Prompt prompt;
  prompt.id = field<std::string>(record, "id", where);
  prompt.text = field<std::string>(record, "text", where);
  prompt.ids = field<TokenIds>(record, "ids", where);
  prompt.row = record.value("row", json());
  for (const auto& turn : field<json>(record, "messages", where)) {
    prompt.messages.push_back({field<std::string>(turn, "role", where), field<std::string>(turn, "content", where),
                               turn.value("extra", json())});
  }
  return prompt;
}

// What most items and questions do not have is left out of their records: stores grow to millions of them.
json to_json(const Item& item) {
  json record = {
      {"text", item.text}, {"ids", item.ids}, {"policy_version", item.policy_version}, {"sample", item.sample}};
  for (const auto& quote : item.quotes) record["quotes"].push_back({{"title", quote.title}, {"text", quote.text}});
  if (!item.clip.empty()) record["clip"] = item.clip;
  if (!item.segment.is_null()) record["segment"] = item.segment;
  return record;
}

Item item_from(const json& record, std::string_view where) {
  Item item{.text = field<std::string>(record, "text", where),
            .ids = field<TokenIds>(record, "ids", where),
            .policy_version = field<std::int64_t>(record, "policy_version", where),
            .sample = field<int>(record, "sample", where),
            .quotes = {},
            .clip = field_or<std::string>(record, "clip", where, ""),
            .segment = record.value("segment", json())};
  for (const auto& quote : detail::list(record, "quotes", where))
    item.quotes.push_back({field<std::string>(quote, "title", where), field<std::string>(quote, "text", where)});
  return item;
}

/// Version 1 knew three forms, and wrote beside them what they allow.
void read_version_1(const json& record, std::string_view where, Question& question) {
  auto& part = question.form.parts.front();
  part.allow_tie = field<bool>(record, "allow_tie", where);
  const auto scale = field<std::array<double, 2>>(record, "scale", where);
  if (part.ask != Ask::rate) return;
  part.axes.front().low = scale[0];
  part.axes.front().high = scale[1];
  part.axes.front().anchors.clear();
}

}  // namespace

namespace detail {

void fail(std::string_view where, std::string what, std::string fix) {
  throw Error(
      {.category = Category::bad_data, .where = std::string(where), .what = std::move(what), .fix = std::move(fix)});
}

int require_version(const json& record, std::string_view where) {
  const auto version = field<int>(record, "version", where);
  if (version > record_version) {
    fail(where,
         "the record has version " + std::to_string(version) + "; this program reads up to " +
             std::to_string(record_version),
         "Use a newer program.");
  }
  return version;
}

}  // namespace detail

json to_json(const Question& question) {
  auto items = json::array();
  for (const auto& item : question.items) items.push_back(to_json(item));
  json record = {{"version", record_version},
                 {"id", question.id},
                 {"form", to_json(question.form)},
                 {"prompt", to_json(question.prompt)},
                 {"items", items},
                 {"shown", question.shown},
                 {"split", split_name(question.split)},
                 {"answers", question.answers},
                 {"guideline", question.guideline},
                 {"metadata", question.metadata}};
  for (const auto& hint : question.hints) record["hints"].push_back(to_json(hint));
  if (question.priority != 0.0) record["priority"] = question.priority;
  if (!question.target.empty()) record["target"] = question.target;
  if (!question.reserved_for.empty()) record["reserved_for"] = question.reserved_for;
  if (!question.round.empty()) record["round"] = question.round;
  if (question.gold) record["gold"] = to_json(*question.gold);
  if (!question.explanation.empty()) record["explanation"] = question.explanation;
  return record;
}

Question question_from_json(const json& record, std::string_view where) {
  const int version = detail::require_version(record, where);
  Question question;
  question.id = field<std::string>(record, "id", where);
  question.form = form_from_json(field<json>(record, "form", where), where);
  if (version == 1) read_version_1(record, where, question);
  question.prompt = prompt_from(field<json>(record, "prompt", where), where);
  for (const auto& item : field<json>(record, "items", where)) question.items.push_back(item_from(item, where));
  question.shown = field<std::vector<int>>(record, "shown", where);
  for (const auto& hint : detail::list(record, "hints", where)) question.hints.push_back(hint_from(hint, where));
  question.split = enum_of(split_names, field<std::string>(record, "split", where), where, "split");
  question.answers = field<int>(record, "answers", where);
  question.priority = field_or(record, "priority", where, 0.0);
  question.guideline = field<std::string>(record, "guideline", where);
  question.target = field_or<std::string>(record, "target", where, "");
  question.reserved_for = field_or<std::string>(record, "reserved_for", where, "");
  question.round = field_or<std::string>(record, "round", where, "");
  if (record.contains("gold")) question.gold = std::make_shared<const Answer>(answer_from_json(record["gold"], where));
  question.explanation = field_or<std::string>(record, "explanation", where, "");
  question.metadata = record.value("metadata", json());
  validate(question);
  return question;
}

json to_json(const Undo& undo) { return {{"version", record_version}, {"kind", "undo"}, {"answer", undo.answer}}; }

Undo undo_from_json(const json& record, std::string_view where) {
  detail::require_version(record, where);
  return {.answer = field<std::int64_t>(record, "answer", where)};
}

json to_json(const ScalarSignal& signal) {
  json record = {{"version", record_version}, {"session", signal.session}, {"tick", signal.tick},
                 {"time", signal.time},       {"value", signal.value},     {"delay", signal.delay},
                 {"number", signal.number}};
  if (signal.undoes != 0) record["undoes"] = signal.undoes;
  return record;
}

ScalarSignal signal_from_json(const json& record, std::string_view where) {
  detail::require_version(record, where);
  return {.session = field<std::string>(record, "session", where),
          .tick = field<std::int64_t>(record, "tick", where),
          .time = field<double>(record, "time", where),
          .value = field<double>(record, "value", where),
          .delay = field<double>(record, "delay", where),
          .number = field<std::int64_t>(record, "number", where),
          .undoes = field_or(record, "undoes", where, std::int64_t{0})};
}

json to_json(const Document& document) {
  return {{"version", record_version},   {"kind", document.kind}, {"name", document.name},
          {"edition", document.version}, {"text", document.text}, {"ask_again", document.ask_again}};
}

Document document_from_json(const json& record, std::string_view where) {
  detail::require_version(record, where);
  return {.kind = field<std::string>(record, "kind", where),
          .name = field<std::string>(record, "name", where),
          .version = field<std::string>(record, "edition", where),
          .text = field<std::string>(record, "text", where),
          .ask_again = field<bool>(record, "ask_again", where)};
}

json to_json(const Redaction& redaction) {
  return {{"version", record_version}, {"events", redaction.events}, {"reason", redaction.reason}};
}

Redaction redaction_from_json(const json& record, std::string_view where) {
  detail::require_version(record, where);
  return {.events = field<std::int64_t>(record, "events", where),
          .reason = field<std::string>(record, "reason", where)};
}

json to_json(const Requeue& change) {
  json record = {{"version", record_version}, {"reason", change.reason}};
  if (change.withdrawn) record["withdrawn"] = *change.withdrawn;
  if (change.priority) record["priority"] = *change.priority;
  if (change.answers) record["answers"] = *change.answers;
  return record;
}

Requeue requeue_from_json(const json& record, std::string_view where) {
  detail::require_version(record, where);
  Requeue change;
  change.reason = field<std::string>(record, "reason", where);
  if (record.contains("withdrawn")) change.withdrawn = field<bool>(record, "withdrawn", where);
  if (record.contains("priority")) change.priority = field<double>(record, "priority", where);
  if (record.contains("answers")) change.answers = field<int>(record, "answers", where);
  return change;
}

std::string_view source_name(Source source) { return name_of(source_names, source); }
std::string_view split_name(Split split) { return name_of(split_names, split); }

Source source_from_name(std::string_view name, std::string_view where) {
  return enum_of(source_names, name, where, "source");
}

}  // namespace rlhf::feedback
