#include "rlhf/feedback/record.h"

#include <array>
#include <string>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::feedback {
namespace {

using nlohmann::json;

template <class Enum, std::size_t n>
using Names = std::array<std::pair<Enum, std::string_view>, n>;
constexpr Names<Form, 3> form_names = {
    {{Form::pair, "pair"}, {Form::best_of_n, "best_of_n"}, {Form::rating, "rating"}}};
constexpr Names<Split, 2> split_names = {{{Split::train, "train"}, {Split::heldout, "heldout"}}};
constexpr Names<Source, 3> source_names = {
    {{Source::human, "human"}, {Source::model, "model"}, {Source::simulated, "simulated"}}};

template <class Enum, std::size_t n>
std::string_view name_of(const Names<Enum, n>& names, Enum value) {
  for (const auto& [each, name] : names) {
    if (each == value) return name;
  }
  return names[0].second;
}

[[noreturn]] void fail(std::string_view where, std::string what, std::string fix = "") {
  throw Error(
      {.category = Category::bad_data, .where = std::string(where), .what = std::move(what), .fix = std::move(fix)});
}

template <class Enum, std::size_t n>
Enum enum_of(const Names<Enum, n>& names, std::string_view text, std::string_view where, std::string_view field) {
  std::string known;
  for (const auto& [each, name] : names) {
    if (name == text) return each;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  fail(where, "\"" + std::string(field) + "\" is \"" + std::string(text) + "\"; one of " + known + " was expected");
}

/// A member of an object, of the type asked for.
template <class T>
T field(const json& record, const char* name, std::string_view where) {
  if (!record.is_object()) fail(where, "the record is no object");
  const auto found = record.find(name);
  if (found == record.end()) fail(where, std::string("\"") + name + "\" is missing");
  try {
    return found->template get<T>();
  } catch (const json::exception&) {
    fail(where, std::string("\"") + name + "\" has the wrong type: " + found->type_name());
  }
}

void require_version(const json& record, std::string_view where) {
  const auto version = field<int>(record, "version", where);
  if (version > record_version) {
    fail(where,
         "the record has version " + std::to_string(version) + "; this program reads up to " +
             std::to_string(record_version),
         "Use a newer program.");
  }
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

json to_json(const Item& item) {
  return {{"text", item.text}, {"ids", item.ids}, {"policy_version", item.policy_version}, {"sample", item.sample}};
}

Item item_from(const json& record, std::string_view where) {
  return {.text = field<std::string>(record, "text", where),
          .ids = field<TokenIds>(record, "ids", where),
          .policy_version = field<std::int64_t>(record, "policy_version", where),
          .sample = field<int>(record, "sample", where)};
}

struct Writer {
  json operator()(const Comparison& said) const {
    return {{"kind", "comparison"}, {"best", said.best}, {"tie", said.tie}, {"strength", said.strength}};
  }
  json operator()(const Rating& said) const { return {{"kind", "rating"}, {"value", said.value}}; }
  json operator()(const Skip& said) const { return {{"kind", "skip"}, {"reason", said.reason}}; }
  json operator()(const Undo& said) const { return {{"kind", "undo"}, {"answer", said.answer}}; }
};

}  // namespace

json to_json(const Question& question) {
  auto items = json::array();
  for (const auto& item : question.items) items.push_back(to_json(item));
  return {{"version", record_version},
          {"id", question.id},
          {"form", name_of(form_names, question.form)},
          {"allow_tie", question.allow_tie},
          {"scale", {question.scale.low, question.scale.high}},
          {"prompt", to_json(question.prompt)},
          {"items", items},
          {"shown", question.shown},
          {"split", name_of(split_names, question.split)},
          {"answers", question.answers},
          {"guideline", question.guideline},
          {"metadata", question.metadata}};
}

Question question_from_json(const json& record, std::string_view where) {
  require_version(record, where);
  Question question;
  question.id = field<std::string>(record, "id", where);
  question.form = enum_of(form_names, field<std::string>(record, "form", where), where, "form");
  question.allow_tie = field<bool>(record, "allow_tie", where);
  const auto scale = field<std::array<double, 2>>(record, "scale", where);
  question.scale = {.low = scale[0], .high = scale[1]};
  question.prompt = prompt_from(field<json>(record, "prompt", where), where);
  for (const auto& item : field<json>(record, "items", where)) question.items.push_back(item_from(item, where));
  question.shown = field<std::vector<int>>(record, "shown", where);
  question.split = enum_of(split_names, field<std::string>(record, "split", where), where, "split");
  question.answers = field<int>(record, "answers", where);
  question.guideline = field<std::string>(record, "guideline", where);
  question.metadata = record.value("metadata", json());
  validate(question);
  return question;
}

json to_json(const Feedback& feedback) {
  auto record = std::visit(Writer{}, feedback);
  record["version"] = record_version;
  return record;
}

Feedback feedback_from_json(const json& record, std::string_view where) {
  require_version(record, where);
  const auto kind = field<std::string>(record, "kind", where);
  if (kind == "comparison") {
    return Comparison{.best = field<std::int64_t>(record, "best", where),
                      .tie = field<bool>(record, "tie", where),
                      .strength = field<double>(record, "strength", where)};
  }
  if (kind == "rating") return Rating{.value = field<double>(record, "value", where)};
  if (kind == "skip") return Skip{.reason = field<std::string>(record, "reason", where)};
  if (kind == "undo") return Undo{.answer = field<std::int64_t>(record, "answer", where)};
  fail(where, "\"kind\" is \"" + kind + "\"; comparison, rating, skip or undo was expected");
}

std::string_view source_name(Source source) { return name_of(source_names, source); }

Source source_from_name(std::string_view name, std::string_view where) {
  return enum_of(source_names, name, where, "source");
}

}  // namespace rlhf::feedback
