// The JSON of two annotation tools, each annotator's response kept.
#include <fmt/format.h>

#include <algorithm>

#include "rlhf/core/error.h"
#include "rlhf/feedback/exchange/formats.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback::exchange {
namespace {

using nlohmann::json;

/// The only scale of a rating; "" (which validation refuses) where the part rates nothing.
std::string axis_of(const Part& part) { return part.axes.empty() ? "" : part.axes.front().name; }

const std::string& first_part(const Question& question) { return question.form.parts.front().name; }

/// What a file said beside prompt, items and answers, to write it again.
Json kept_columns(const Question& question) {
  return question.metadata.is_object() ? Json(question.metadata.value("columns", json::object())) : Json::object();
}

/// Keeps the columns of a row, and its id: the one that the tool knows the record by.
void keep(const json& row, const char* answers, Draft& draft) {
  auto& question = draft.judged.question;
  question.metadata["columns"] = without(row, {answers});
  if (const auto id = row.find("id"); id != row.end() && !id->is_null())
    question.id = id->is_string() ? id->get<std::string>() : draft.format + "/" + id->dump();
}

/// Counts what is said about an answer beside its parts.
void count_remarks(const Answer& given, Report& report) {
  if (!given.comment.empty()) report.leave_out("comments (the answer was written)");
  if (!given.flags.empty()) report.leave_out("flags (the answer was written)");
  if (given.confidence) report.leave_out("confidences (the answer was written)");
}

constexpr const char* no_such_part = "further parts of a kind that it does not have (the answer was written)";

// --- Argilla: a record with fields, and responses by question and user
// ---------------------------------------------------

json argilla_value(const Feedback& said) {
  if (const auto* one = std::get_if<Comparison>(&said))
    return one->incomparable ? json("cannot compare")
           : one->tie        ? json(one->both_bad ? "both bad" : "tie")
                             : json(fmt::format("response_{}", one->best));
  if (const auto* ranking = std::get_if<Ranking>(&said)) {
    auto ranks = json::array();
    for (std::size_t place = 0; place < ranking->groups.size(); ++place)
      for (const int item : ranking->groups[place])
        ranks.push_back({{"value", fmt::format("response_{}", item)}, {"rank", place + 1}});
    return ranks;
  }
  if (const auto* rating = std::get_if<Rating>(&said); rating && rating->values.size() == 1)
    return rating->values.front().value;
  if (const auto* text = std::get_if<Demonstration>(&said)) return text->text;
  if (const auto* text = std::get_if<Correction>(&said)) return text->text;
  return nullptr;
}

Feedback argilla_said(const json& value, const Part& part, const std::string& where) {
  const auto item = [&](const json& name) {
    const auto text = name.get<std::string>();
    if (!text.starts_with("response_"))
      throw Error(
          {.category = Category::bad_data, .where = where, .what = "\"" + text + "\" names no response", .fix = ""});
    return std::stoi(text.substr(9));
  };
  if (value.is_array()) {
    std::map<int, std::vector<int>> groups;
    for (const auto& each : value)
      groups[column(each, "rank", where).get<int>()].push_back(item(column(each, "value", where)));
    Ranking ranking;
    for (auto& [rank, group] : groups) ranking.groups.push_back(group);
    return ranking;
  }
  if (value.is_number()) return Rating{{{.item = 0, .axis = axis_of(part), .value = value.get<double>()}}};
  if (part.ask == Ask::correct) return Correction{0, value.get<std::string>()};
  if (part.ask == Ask::demonstrate) return Demonstration{value.get<std::string>()};
  if (value == "tie" || value == "both bad") return Comparison{.tie = true, .both_bad = value == "both bad"};
  if (value == "cannot compare") return Comparison{.incomparable = true};
  return Comparison{.best = item(value)};
}

void write_argilla(const Judged& judged, Sheet& sheet) {
  const auto& question = judged.question;
  const auto kept = kept_columns(question);
  Json fields = kept.value("fields", Json::object()), metadata = kept.value("metadata", Json::object());
  fields["prompt"] = prompt_json(question.prompt);
  metadata["form"] = question.form.name, metadata["split"] = split_name(question.split);
  for (std::size_t i = 0; i < question.items.size(); ++i)
    fields[fmt::format("response_{}", i)] = question.items[i].text;
  Json responses = Json::array(), parts = Json::object();
  for (const auto& event : judged.answers) {
    const auto& given = std::get<Answer>(event.body);
    const auto& said = given.said;
    const bool skip = std::holds_alternative<Skip>(said);
    const auto value = argilla_value(said);
    if (value.is_null() && !skip) {
      sheet.report.leave_out("answers of a kind that it does not have");
      continue;
    }
    const auto* choice = std::get_if<Comparison>(&said);
    if (choice && choice->strength != 1.0) sheet.report.leave_out("strengths (the response was written)");
    responses.push_back(
        {{"value", value}, {"user_id", event.annotator.name}, {"status", skip ? "discarded" : "submitted"}});
    count_remarks(given, sheet.report);
    for (const auto& [name, detail] : given.details) {
      const auto one = argilla_value(detail);
      if (one.is_null())
        sheet.report.leave_out(no_such_part);
      else
        parts[name].push_back({{"value", one}, {"user_id", event.annotator.name}, {"status", "submitted"}});
    }
  }
  parts[first_part(question)] = responses;
  Json row = kept;
  row["id"] = kept.contains("id") ? kept["id"] : Json(question.id);
  row["status"] = responses.empty() ? "pending" : "completed";
  row["fields"] = fields, row["metadata"] = metadata, row["responses"] = parts;
  sheet.add(question, row);
}

void read_argilla(const json& row, Draft& draft) {
  const auto& fields = column(row, "fields", draft.where);
  const auto metadata = row.value("metadata", json::object());
  std::vector<std::string> items;
  while (fields.contains(fmt::format("response_{}", items.size())))
    items.push_back(fields[fmt::format("response_{}", items.size())].get<std::string>());
  if (metadata.value("split", "train") != "train") draft.split = Split::heldout;
  const char* usual = items.empty()       ? "demonstration"
                      : items.size() == 1 ? "rating"
                      : items.size() == 2 ? "pair_with_ties"
                                          : "ranking";
  ask(draft, metadata.value("form", usual), prompt_from(column(fields, "prompt", draft.where), draft.where), items);
  keep(row, "responses", draft);
  const auto& responses = column(row, "responses", draft.where);
  const auto& form = draft.judged.question.form;
  // The first question of a foreign record is the judgement; of ours, the one that has the name of the form's first
  // part.
  const auto first = responses.contains(form.parts.front().name) ? form.parts.front().name
                     : responses.empty()                         ? std::string()
                                                                 : responses.begin().key();
  for (const auto& each : responses.value(first, json::array())) {
    const auto user = text_column(each, "user_id", draft.where);
    Answer given = Skip{"discarded"};
    if (each.value("status", "submitted") != "discarded")
      given = argilla_said(column(each, "value", draft.where), form.parts.front(), draft.where);
    answer(draft, user, given);
  }
  for (const auto& [name, said] : responses.items()) {
    if (name == first) continue;
    const auto* part = form.find(name);
    for (const auto& each : said) {
      auto& all = draft.judged.answers;
      const auto by = std::find_if(all.begin(), all.end(),
                                   [&](const Event& one) { return one.annotator.name == each.value("user_id", ""); });
      if (part && by != all.end())
        std::get<Answer>(by->body).details[name] = argilla_said(column(each, "value", draft.where), *part, draft.where);
      else
        draft.left_out.push_back("responses to questions that the form does not have");
    }
  }
}

// --- Label Studio: a task with data, and annotations with typed results
// --------------------------------------------------

json studio_result(const Question& question, const std::string& part, const Feedback& said) {
  const auto result = [&](const char* type, json value) {
    return json::array({{{"from_name", part}, {"to_name", "items"}, {"type", type}, {"value", std::move(value)}}});
  };
  if (const auto* one = std::get_if<Comparison>(&said);
      one && question.items.size() == 2 && !one->tie && !one->incomparable)
    return result("pairwise", {{"selected", one->best == 0 ? "left" : "right"}});
  if (const auto* one = std::get_if<Comparison>(&said))
    return result("choices", {{"choices",
                               {one->incomparable ? "cannot compare"
                                : one->both_bad   ? "both bad"
                                : one->tie        ? "tie"
                                                  : std::to_string(one->best)}}});
  if (const auto* ranking = std::get_if<Ranking>(&said)) {
    for (const auto& group : ranking->groups)
      if (group.size() > 1) return nullptr;  // its ranker has no ties
    auto order = json::array();
    for (const auto& group : ranking->groups) order.push_back(std::to_string(group.front()));
    return result("ranker", {{"ranker", {{"rank", order}}}});
  }
  if (const auto* rating = std::get_if<Rating>(&said); rating && rating->values.size() == 1)
    return result("rating", {{"rating", rating->values.front().value}});
  if (const auto* text = std::get_if<Demonstration>(&said)) return result("textarea", {{"text", {text->text}}});
  if (std::holds_alternative<Skip>(said)) return json::array();
  return nullptr;
}

Feedback studio_said(const json& result, const Part& part, const std::string& where) {
  const auto type = text_column(result, "type", where);
  const auto& value = column(result, "value", where);
  if (type == "pairwise") return Comparison{.best = text_column(value, "selected", where) == "left" ? 0 : 1};
  if (type == "rating")
    return Rating{{{.item = 0, .axis = axis_of(part), .value = column(value, "rating", where).get<double>()}}};
  if (type == "textarea" && part.ask == Ask::correct)
    return Correction{0, column(value, "text", where).at(0).get<std::string>()};
  if (type == "textarea") return Demonstration{column(value, "text", where).at(0).get<std::string>()};
  if (type == "ranker") {
    Ranking ranking;
    for (const auto& item : column(column(value, "ranker", where), "rank", where))
      ranking.groups.push_back({std::stoi(item.get<std::string>())});
    return ranking;
  }
  if (type == "choices") {
    const auto choice = column(value, "choices", where).at(0).get<std::string>();
    if (choice == "cannot compare") return Comparison{.incomparable = true};
    if (choice == "tie" || choice == "both bad") return Comparison{.tie = true, .both_bad = choice == "both bad"};
    return Comparison{.best = std::stoi(choice)};
  }
  throw Error({.category = Category::bad_data,
               .where = where,
               .what = "results of type \"" + type + "\" are not known",
               .fix = ""});
}

void write_studio(const Judged& judged, Sheet& sheet) {
  const auto& question = judged.question;
  Json items = Json::array(), annotations = Json::array();
  for (std::size_t i = 0; i < question.items.size(); ++i)
    items.push_back({{"id", std::to_string(i)}, {"body", question.items[i].text}});
  for (const auto& event : judged.answers) {
    const auto& given = std::get<Answer>(event.body);
    auto result = studio_result(question, first_part(question), given.said);
    if (result.is_null()) {
      sheet.report.leave_out(std::holds_alternative<Ranking>(given.said) ? "rankings with ties"
                                                                         : "answers of a kind that it does not have");
      continue;
    }
    const auto* choice = std::get_if<Comparison>(&given.said);
    if (choice && choice->strength != 1.0) sheet.report.leave_out("strengths (the annotation was written)");
    count_remarks(given, sheet.report);
    for (const auto& [name, detail] : given.details) {
      const auto further = studio_result(question, name, detail);
      if (further.is_null() || further.empty())
        sheet.report.leave_out(no_such_part);
      else
        result.push_back(further.front());
    }
    annotations.push_back({{"completed_by", event.annotator.name},
                           {"created_at", event.answered_at},
                           {"lead_time", given.active_seconds},
                           {"was_cancelled", std::holds_alternative<Skip>(given.said)},
                           {"result", result}});
  }
  Json row = kept_columns(question);
  if (!row.contains("id")) row["id"] = question.id;
  row["data"]["prompt"] = prompt_json(question.prompt);
  if (!row["data"].contains("items")) row["data"]["items"] = items;
  row["data"]["form"] = question.form.name;
  row["meta"]["split"] = split_name(question.split);
  row["annotations"] = annotations;
  sheet.add(question, row);
}

void read_studio(const json& row, Draft& draft) {
  const auto& data = column(row, "data", draft.where);
  std::vector<std::string> items;
  for (const auto& each : column(data, "items", draft.where)) items.push_back(text_column(each, "body", draft.where));
  if (row.value("meta", json::object()).value("split", "train") != "train") draft.split = Split::heldout;
  const char* usual = items.empty()       ? "demonstration"
                      : items.size() == 1 ? "rating"
                      : items.size() == 2 ? "pair_with_ties"
                                          : "ranking";
  ask(draft, data.value("form", usual), prompt_from(column(data, "prompt", draft.where), draft.where), items);
  keep(row, "annotations", draft);
  const auto& form = draft.judged.question.form;
  for (const auto& each : column(row, "annotations", draft.where)) {
    const auto& by = column(each, "completed_by", draft.where);
    const auto name = by.is_string() ? by.get<std::string>() : by.dump();
    const auto& results = column(each, "result", draft.where);
    Answer given{results.empty() ? Feedback(Skip{"cancelled"})
                                 : studio_said(results.at(0), form.parts.front(), draft.where)};
    for (std::size_t i = 1; i < results.size(); ++i) {
      const auto part = results[i].value("from_name", "");
      if (const auto* found = form.find(part))
        given.details[part] = studio_said(results[i], *found, draft.where);
      else
        draft.left_out.push_back("results of controls that the form does not have");
    }
    given.active_seconds = each.value("lead_time", 0.0);
    answer(draft, name, given,
           each.contains("created_at") && each["created_at"].is_number() ? each["created_at"].get<double>() : 0.0);
  }
}

}  // namespace

std::vector<Format> tool_formats() {
  return {{"argilla", "records with fields and each annotator's responses", "json", write_argilla, read_argilla},
          {"label_studio", "tasks with each annotator's annotation: pairwise, ranker, rating", "json", write_studio,
           read_studio}};
}

}  // namespace rlhf::feedback::exchange
