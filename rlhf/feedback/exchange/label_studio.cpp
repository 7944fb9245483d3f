// Tasks of Label Studio: data, annotations of people and predictions of models, both as lists of typed results.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/feedback/exchange/marks.h"

namespace rlhf::feedback::exchange {
namespace {

using nlohmann::json;

constexpr const char* otherwise = "_otherwise";  // beside a pairwise control: tie, both bad, cannot compare

/// The ids that a task's list gives its items.
std::string item_id(const Question& question, int item) {
  const auto kept = kept_columns(question);
  const auto items = kept.value("data", Json::object()).value("items", Json::array());
  const auto place = static_cast<std::size_t>(item);
  const auto id = place < items.size() ? items[place].value("id", Json()) : Json();
  return id.is_string() ? id.get<std::string>() : id.is_null() ? item_name(item) : id.dump();
}

bool pairwise(const Mark& mark, int items) {
  return mark.control == Control::choice && mark.item < 0 && mark.aspect.empty() && items == 2;
}

Json result(const std::string& from, const std::string& to, const char* type, Json value) {
  return {{"from_name", from}, {"to_name", to}, {"type", type}, {"value", std::move(value)}};
}

/// A region is a result with an id; a remark on it is a text with the same id.
void add_spans(const Mark& mark, const json& spans, Json& results) {
  const auto to = item_name(mark.item);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const auto& each = spans[i];
    const Json place = {{"start", each["begin"]}, {"end", each["end"]}};
    const auto region = [&](const std::string& name, const char* type, const json& words) {
      auto one = result(name, to, type, place);
      one["id"] = fmt::format("{}-{}", mark.name, i);
      one["value"][type == std::string("labels") ? "labels" : "text"] = json::array({words});
      results.push_back(one);
    };
    region(mark.name, "labels", each["label"]);
    if (each["remark"] != "") region(mark.name + "_remark", "textarea", each["remark"]);
  }
  if (spans.empty()) results.push_back(result(mark.name + otherwise, to, "choices", {{"choices", {"nothing"}}}));
}

/// One list in order; with ties, a bucket for each place.
Json ranker(const Mark& mark, const json& groups, const Question& question) {
  Json lists = Json::object();
  const bool ties = std::any_of(groups.begin(), groups.end(), [](const json& group) { return group.size() > 1; });
  for (std::size_t place = 0; place < groups.size(); ++place)
    for (const auto& item : groups[place])
      lists[ties ? std::to_string(place + 1) : mark.name].push_back(item_id(question, item.get<int>()));
  return {{"ranker", lists}};
}

void add_mark(const Mark& mark, const json& value, const Question& question, Json& results) {
  const auto items = static_cast<int>(question.items.size());
  const auto to = mark.item >= 0 ? item_name(mark.item) : "prompt";
  switch (mark.control) {
    case Control::choice:
      if (pairwise(mark, items) && (value == item_name(0) || value == item_name(1)))
        results.push_back(
            result(mark.name, mark.name, "pairwise", {{"selected", value == item_name(0) ? "left" : "right"}}));
      else
        results.push_back(result(mark.name + (pairwise(mark, items) ? otherwise : ""), to, "choices",
                                 {{"choices", Json::array({value})}}));
      return;
    case Control::choices:
      results.push_back(result(mark.name, to, "choices", {{"choices", value}}));
      return;
    case Control::rating:
      results.push_back(result(mark.name, to, "rating", {{"rating", std::llround(value.get<double>())}}));
      return;
    case Control::number:
      results.push_back(result(mark.name, to, "number", {{"number", value}}));
      return;
    case Control::text:
      results.push_back(result(mark.name, to, "textarea", {{"text", Json::array({value})}}));
      return;
    case Control::ranking:
      results.push_back(result(mark.name, "items", "ranker", ranker(mark, value, question)));
      return;
    case Control::spans:
      add_spans(mark, value, results);
      return;
  }
}

Json data_of(const Question& question) {
  Json data = {{"prompt", prompt_json(question.prompt)}}, items = Json::array();
  for (int i = 0; i < static_cast<int>(question.items.size()); ++i) {
    const auto& item = question.items[static_cast<std::size_t>(i)];
    data[item_name(i)] = item.text;
    items.push_back({{"id", item_name(i)}, {"title", item_name(i)}, {"body", item.text}});
    for (const auto& quote : item.quotes)
      items.back()["quotes"].push_back({{"title", quote.title}, {"text", quote.text}});
  }
  data["items"] = items;
  return data;
}

void write(const Judged& judged, Sheet& sheet) {
  const auto& question = judged.question;
  count_missing(question, false, sheet.report);
  Json annotations = Json::array(), predictions = Json::array();
  for (const auto& event : judged.answers) {
    const auto& given = std::get<Answer>(event.body);
    const auto* skip = std::get_if<Skip>(&given.said);
    const auto marks = skip ? Marks{} : marks_of(question, given, sheet.report);
    if (!skip && marks.empty()) continue;  // counted
    if (skip && skip->reason != "cancelled") sheet.report.leave_out("reasons of skips (the skips were written)");
    Json results = Json::array();
    for (const auto& mark : page(question))
      if (const auto found = marks.find(mark.name); found != marks.end())
        add_mark(mark, found->second, question, results);
    if (event.annotator.source == Source::human)
      annotations.push_back({{"completed_by", event.annotator.name},
                             {"created_at", event.answered_at},
                             {"lead_time", given.active_seconds},
                             {"was_cancelled", skip != nullptr},
                             {"result", results}});
    else if (skip)
      sheet.report.leave_out("skips of models");
    else
      predictions.push_back(
          {{"model_version", event.annotator.name}, {"created_at", event.answered_at}, {"result", results}});
  }
  Json row = kept_columns(question);
  if (!row.contains("id")) row["id"] = question.id;
  if (!row.contains("data")) row["data"] = data_of(question);
  auto notes = page_notes(judged);
  if (row["data"].contains("form")) notes.erase("form");
  Json meta = row.value("meta", Json::object());
  meta.update(Json(notes));
  row["meta"] = meta;
  row["annotations"] = annotations;
  if (!predictions.empty()) row["predictions"] = predictions;
  sheet.add(question, row);
}

/// Groups of items, best first: one list, or buckets named by their places.
json groups_from(const Mark& mark, const json& lists, const Question& question, const std::string& where) {
  const auto item_of = [&](const json& name) -> int {
    for (int i = 0; i < static_cast<int>(question.items.size()); ++i)
      if (name == item_id(question, i)) return i;
    throw Error({.category = Category::bad_data, .where = where, .what = name.dump() + " is no item", .fix = ""});
  };
  auto groups = json::array();
  if (lists.size() == 1 && lists.contains(mark.name)) {
    for (const auto& name : lists[mark.name]) groups.push_back({item_of(name)});
    return groups;
  }
  std::map<int, json> buckets;
  for (const auto& [place, names] : lists.items())
    for (const auto& name : names) buckets[std::stoi(place)].push_back(item_of(name));
  for (const auto& [place, group] : buckets) groups.push_back(group);
  return groups;
}

/// Takes what a result says about this control.
void take(const Mark& mark, const json& one, const Question& question, const std::string& where, Marks& marks) {
  const auto from = text_column(one, "from_name", where), type = text_column(one, "type", where);
  const auto& value = column(one, "value", where);
  if (from == mark.name + otherwise && mark.control == Control::spans)
    marks[mark.name] = json::array();
  else if (from == mark.name + otherwise)
    marks[mark.name] = column(value, "choices", where).at(0);
  else if (from == mark.name + "_remark")
    marks[mark.name].back()["remark"] = column(value, "text", where).at(0);
  if (from != mark.name) return;
  if (type == "pairwise")
    marks[from] = item_name(text_column(value, "selected", where) == "left" ? 0 : 1);
  else if (type == "choices")
    marks[from] =
        mark.control == Control::choices ? column(value, "choices", where) : column(value, "choices", where).at(0);
  else if (type == "rating" || type == "number")
    marks[from] = column(value, type.c_str(), where);
  else if (type == "textarea")
    marks[from] = column(value, "text", where).at(0);
  else if (type == "ranker")
    marks[from] = groups_from(mark, column(value, "ranker", where), question, where);
  else if (type == "labels")
    marks[from].push_back({{"begin", column(value, "start", where)},
                           {"end", column(value, "end", where)},
                           {"label", column(value, "labels", where).at(0)},
                           {"remark", ""}});
  else
    throw Error({.category = Category::bad_data,
                 .where = where,
                 .what = "results of type \"" + type + "\" are not known",
                 .fix = ""});
}

bool belongs(const std::string& from, const Mark& mark) {
  return from == mark.name || from == mark.name + otherwise ||
         (mark.control == Control::spans && from == mark.name + "_remark");
}

Answer answer_from(const json& results, Draft& draft) {
  const auto& question = draft.judged.question;
  const auto& where = draft.where;
  const auto controls = page(question);
  Marks marks;
  for (const auto& one : results) {
    const auto from = text_column(one, "from_name", where);
    const auto mark =
        std::find_if(controls.begin(), controls.end(), [&](const Mark& each) { return belongs(from, each); });
    if (mark == controls.end()) {
      draft.left_out.push_back("results of controls that the form does not have");
      continue;
    }
    take(*mark, one, question, where, marks);
  }
  return answer_of(question, marks, where);
}

double time_of(const json& record) {
  return record.contains("created_at") && record["created_at"].is_number() ? record["created_at"].get<double>() : 0.0;
}

void read(const json& row, Draft& draft) {
  const auto& data = column(row, "data", draft.where);
  std::vector<std::string> items;
  const auto listed = data.value("items", json::array());
  for (const auto& each : listed) items.push_back(text_column(each, "body", draft.where));
  auto notes = row.value("meta", json::object());
  if (data.contains("form")) notes["form"] = data["form"];
  ask_page(draft, notes, prompt_from(column(data, "prompt", draft.where), draft.where), items);
  auto& question = draft.judged.question;
  for (std::size_t i = 0; i < items.size(); ++i)
    for (const auto& quote : listed[i].value("quotes", json::array()))
      question.items[i].quotes.push_back(
          {text_column(quote, "title", draft.where), text_column(quote, "text", draft.where)});
  keep(row, {"annotations", "predictions"}, draft);
  for (const auto& each : column(row, "annotations", draft.where)) {
    const auto& by = column(each, "completed_by", draft.where);
    const auto& results = column(each, "result", draft.where);
    auto given = each.value("was_cancelled", false) ? Answer{Skip{"cancelled"}} : answer_from(results, draft);
    given.active_seconds = each.value("lead_time", 0.0);
    answer(draft, by.is_string() ? by.get<std::string>() : by.dump(), given, time_of(each));
  }
  const auto simulated = notes.value("simulated", std::vector<std::string>{});
  for (const auto& each : row.value("predictions", json::array())) {
    const auto name = each.value("model_version", "model");
    answer(draft, name, answer_from(column(each, "result", draft.where), draft), time_of(each));
    const bool acted = std::find(simulated.begin(), simulated.end(), name) != simulated.end();
    draft.judged.answers.back().annotator.source = acted ? Source::simulated : Source::model;
  }
}

}  // namespace

Format label_studio_format() {
  return {"label_studio", "tasks with each person's annotation, and predictions of models", "json", write, read};
}

}  // namespace rlhf::feedback::exchange
