// Records of Argilla 2: fields, a response of each person to each question, and suggestions of models.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/feedback/exchange/marks.h"

namespace rlhf::feedback::exchange {
namespace {

using nlohmann::json;

bool is_uuid(const std::string& name) {
  const auto digits = std::count_if(name.begin(), name.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
  return digits == 32 && (name.size() == 32 || (name.size() == 36 && std::count(name.begin(), name.end(), '-') == 4));
}

/// Users are UUIDs there: one made of the name (RFC 9562, version 8), and the name is noted beside the record.
std::string user_id(const std::string& name) {
  if (is_uuid(name)) return name;
  auto hex = sha256(name).substr(0, 32);
  hex[12] = '8', hex[16] = 'a';
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

json to_argilla(const Mark& mark, const json& value, Report& report) {
  auto list = json::array();
  switch (mark.control) {
    case Control::rating:
      return std::llround(value.get<double>());
    case Control::number:
      return value.dump();  // its ratings are whole numbers: a text
    case Control::ranking:
      for (std::size_t place = 0; place < value.size(); ++place)
        for (const auto& item : value[place])
          list.push_back({{"value", item_name(item.get<int>())}, {"rank", place + 1}});
      return list;
    case Control::spans:
      for (const auto& each : value) {
        if (each["remark"] != "") report.leave_out("remarks on spans (the spans were written)");
        list.push_back({{"label", each["label"]}, {"start", each["begin"]}, {"end", each["end"]}});
      }
      return list;
    default:
      return value;
  }
}

int item_of(const json& name, int items, const std::string& where) {
  for (int item = 0; item < items; ++item)
    if (name == item_name(item)) return item;
  throw Error({.category = Category::bad_data, .where = where, .what = name.dump() + " names no response", .fix = ""});
}

json from_argilla(const Mark& mark, const json& value, int items, const std::string& where) {
  auto list = json::array();
  if (mark.control == Control::number && value.is_string()) return json::parse(value.get<std::string>());
  if (mark.control == Control::ranking) {
    std::map<int, json> groups;
    for (const auto& each : value)
      groups[column(each, "rank", where).get<int>()].push_back(item_of(column(each, "value", where), items, where));
    for (const auto& [rank, group] : groups) list.push_back(group);
    return list;
  }
  if (mark.control != Control::spans) return value;
  for (const auto& each : value)
    list.push_back({{"label", column(each, "label", where)},
                    {"begin", column(each, "start", where)},
                    {"end", column(each, "end", where)}});
  return list;
}

/// People's answers are responses; the first answer of a program is the record's suggestion.
struct Said {
  Json responses = Json::object(), suggestions = Json::object();
  bool suggested = false;

  void respond(const std::string& question, const std::string& name, const json& value, const char* status) {
    responses[question].push_back({{"value", value}, {"user_id", user_id(name)}, {"status", status}});
  }
};

void add_answer(const Question& question, const Event& event, Said& said, Report& report) {
  const auto& given = std::get<Answer>(event.body);
  const auto& name = event.annotator.name;
  const bool person = event.annotator.source == Source::human;
  if (const auto* skip = std::get_if<Skip>(&given.said)) {
    if (!person) return report.leave_out("skips of models");
    if (skip->reason != "discarded") report.leave_out("reasons of skips (the skips were written)");
    return said.respond(page(question).front().name, name, nullptr, "discarded");
  }
  if (!person && said.suggested) return report.leave_out("answers of further models: a record has one suggestion");
  if (given.active_seconds > 0) report.leave_out("times of work (the answers were written)");
  const auto marks = marks_of(question, given, report);
  for (const auto& mark : page(question)) {
    const auto found = marks.find(mark.name);
    if (found == marks.end()) continue;
    const auto value = to_argilla(mark, found->second, report);
    if (person)
      said.respond(mark.name, name, value, "submitted");
    else
      said.suggestions[mark.name] = {{"value", value}, {"score", nullptr}, {"agent", name}};
  }
  said.suggested = said.suggested || (!person && !marks.empty());
}

void write(const Judged& judged, Sheet& sheet) {
  const auto& question = judged.question;
  count_missing(question, true, sheet.report);
  auto prompt = question.prompt;
  for (auto& turn : prompt.messages) turn.extra = nullptr;
  Json row = kept_columns(question);
  Json fields = row.value("fields", Json::object()), metadata = row.value("metadata", Json::object());
  fields["prompt"] = prompt_json(prompt);
  for (std::size_t i = 0; i < question.items.size(); ++i)
    fields[item_name(static_cast<int>(i))] = question.items[i].text;
  Said said;
  auto notes = page_notes(judged);
  for (const auto& event : judged.answers) {
    add_answer(question, event, said, sheet.report);
    if (event.annotator.source == Source::human && !is_uuid(event.annotator.name))
      notes["annotators"].push_back(user_id(event.annotator.name) + " " + event.annotator.name);
  }
  metadata.update(Json(notes));
  if (!row.contains("id")) row["id"] = question.id;
  row["status"] = said.responses.empty() ? "pending" : "completed";
  row["fields"] = fields, row["metadata"] = metadata, row["responses"] = said.responses;
  if (!said.suggestions.empty()) row["suggestions"] = said.suggestions;
  sheet.add(question, row);
}

/// What one annotator said, gathered from the questions.
struct Response {
  std::string name;
  Source source = Source::human;
  bool discarded = false;
  Marks marks;
};

Response& response_of(std::vector<Response>& all, const std::string& name, Source source) {
  for (auto& each : all)
    if (each.name == name && each.source == source) return each;
  all.push_back({.name = name, .source = source, .marks = {}});
  return all.back();
}

/// Answers in the order in which the record names their annotators.
std::vector<Response> named(const json& notes) {
  std::vector<Response> all;
  for (const auto& each : notes.value("annotators", json::array()))
    response_of(all, each.get<std::string>().substr(37), Source::human);
  return all;
}

std::string name_of(const std::string& user, const std::vector<Response>& known) {
  for (const auto& each : known)
    if (user_id(each.name) == user) return each.name;
  return user;
}

void add_responses(const json& said, const json& suggestions, const Mark& mark, int items, const std::string& where,
                   std::vector<Response>& all) {
  const auto responses = said.value(mark.name, json::array());
  for (const auto& each : responses) {
    const auto status = each.value("status", "submitted");
    if (status == "draft") continue;
    auto& one = response_of(all, name_of(text_column(each, "user_id", where), all), Source::human);
    one.discarded = one.discarded || status == "discarded";
    if (!one.discarded) one.marks[mark.name] = from_argilla(mark, column(each, "value", where), items, where);
  }
  if (!suggestions.contains(mark.name)) return;
  const auto& each = suggestions[mark.name];
  const auto agent = each.value("agent", json());
  response_of(all, agent.is_string() ? agent.get<std::string>() : "model", Source::model).marks[mark.name] =
      from_argilla(mark, column(each, "value", where), items, where);
}

/// The responses by the names of the form's controls. A record of another program that asks one thing asks for the
/// judgement, whatever its name; further questions that the form does not have are counted.
json known(json questions, const Question& question, Draft& draft) {
  const auto marks = page(question);
  const auto is_known = [&](const std::string& name) {
    return std::any_of(marks.begin(), marks.end(), [&](const Mark& mark) { return mark.name == name; });
  };
  auto found = json::object();
  for (const auto& [name, value] : questions.items()) {
    if (is_known(name))
      found[name] = value;
    else if (questions.size() == 1)
      found[marks.front().name] = value;
    else
      draft.left_out.push_back("responses to questions that the form does not have");
  }
  return found;
}

void read(const json& row, Draft& draft) {
  const auto& fields = column(row, "fields", draft.where);
  const auto notes = row.value("metadata", json::object());
  std::vector<std::string> items;
  while (fields.contains(item_name(static_cast<int>(items.size()))))
    items.push_back(text_column(fields, item_name(static_cast<int>(items.size())).c_str(), draft.where));
  ask_page(draft, notes, prompt_from(column(fields, "prompt", draft.where), draft.where), items);
  keep(row, {"responses", "suggestions"}, draft);
  const auto& question = draft.judged.question;
  const auto said = known(row.value("responses", json::object()), question, draft);
  const auto suggested = known(row.value("suggestions", json::object()), question, draft);
  auto responses = named(notes);
  for (const auto& mark : page(question))
    add_responses(said, suggested, mark, static_cast<int>(items.size()), draft.where, responses);
  const auto simulated = notes.value("simulated", std::vector<std::string>{});
  for (const auto& each : responses) {
    if (!each.discarded && each.marks.empty()) continue;
    answer(draft, each.name, each.discarded ? Answer{Skip{"discarded"}} : answer_of(question, each.marks, draft.where));
    const bool acted = std::find(simulated.begin(), simulated.end(), each.name) != simulated.end();
    draft.judged.answers.back().annotator.source = acted ? Source::simulated : each.source;
  }
}

}  // namespace

Format argilla_format() {
  return {"argilla", "records with fields, each person's responses, and suggestions of models", "json", write, read};
}

}  // namespace rlhf::feedback::exchange
