// The JSON of two annotation tools, each annotator's response kept.
#include <fmt/format.h>

#include "rlhf/core/error.h"
#include "rlhf/feedback/exchange/formats.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback::exchange {
namespace {

using nlohmann::json;

std::string prompt_text(const data::Prompt& prompt) {
  if (prompt.messages.empty()) return prompt.text;
  std::string text;
  for (const auto& each : prompt.messages) text += (text.empty() ? "" : "\n\n") + each.role + ": " + each.content;
  return text;
}

const std::string& first_part(const Question& question) { return question.form.parts.front().name; }

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

Feedback argilla_said(const json& value, const Question& question, const std::string& where) {
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
  if (value.is_number())
    return Rating{{{.item = 0, .axis = question.form.parts.front().axes.front().name, .value = value.get<double>()}}};
  if (question.items.empty()) return Demonstration{value.get<std::string>()};
  if (value == "tie" || value == "both bad") return Comparison{.tie = true, .both_bad = value == "both bad"};
  if (value == "cannot compare") return Comparison{.incomparable = true};
  return Comparison{.best = item(value)};
}

void write_argilla(const Judged& judged, Sheet& sheet) {
  const auto& question = judged.question;
  Json fields = {{"prompt", prompt_text(question.prompt)}};
  for (std::size_t i = 0; i < question.items.size(); ++i)
    fields[fmt::format("response_{}", i)] = question.items[i].text;
  Json responses = Json::array();
  for (const auto& event : judged.answers) {
    const auto& said = std::get<Answer>(event.body).said;
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
  }
  sheet.add(question, {{"id", question.id},
                       {"status", responses.empty() ? "pending" : "completed"},
                       {"fields", fields},
                       {"metadata", {{"form", question.form.name}, {"split", split_name(question.split)}}},
                       {"responses", {{first_part(question), responses}}}});
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
  for (const auto& [part, responses] : column(row, "responses", draft.where).items()) {
    for (const auto& each : responses) {
      const auto user = text_column(each, "user_id", draft.where);
      if (each.value("status", "submitted") == "discarded")
        answer(draft, user, Answer{Skip{"discarded"}});
      else
        answer(draft, user,
               Answer{argilla_said(column(each, "value", draft.where), draft.judged.question, draft.where)});
    }
  }
}

// --- Label Studio: a task with data, and annotations with typed results
// --------------------------------------------------

json studio_result(const Question& question, const Feedback& said) {
  const auto result = [&](const char* type, json value) {
    return json::array(
        {{{"from_name", first_part(question)}, {"to_name", "items"}, {"type", type}, {"value", std::move(value)}}});
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

Feedback studio_said(const json& result, const Question& question, const std::string& where) {
  const auto type = text_column(result, "type", where);
  const auto& value = column(result, "value", where);
  if (type == "pairwise") return Comparison{.best = text_column(value, "selected", where) == "left" ? 0 : 1};
  if (type == "rating")
    return Rating{{{.item = 0,
                    .axis = question.form.parts.front().axes.front().name,
                    .value = column(value, "rating", where).get<double>()}}};
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
    const auto result = studio_result(question, given.said);
    if (result.is_null()) {
      sheet.report.leave_out(std::holds_alternative<Ranking>(given.said) ? "rankings with ties"
                                                                         : "answers of a kind that it does not have");
      continue;
    }
    const auto* choice = std::get_if<Comparison>(&given.said);
    if (choice && choice->strength != 1.0) sheet.report.leave_out("strengths (the annotation was written)");
    annotations.push_back({{"completed_by", event.annotator.name},
                           {"created_at", event.answered_at},
                           {"lead_time", given.active_seconds},
                           {"was_cancelled", std::holds_alternative<Skip>(given.said)},
                           {"result", result}});
  }
  sheet.add(question,
            {{"id", question.id},
             {"data", {{"prompt", prompt_text(question.prompt)}, {"items", items}, {"form", question.form.name}}},
             {"meta", {{"split", split_name(question.split)}}},
             {"annotations", annotations}});
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
  for (const auto& each : column(row, "annotations", draft.where)) {
    const auto& by = column(each, "completed_by", draft.where);
    const auto name = by.is_string() ? by.get<std::string>() : by.dump();
    const auto& results = column(each, "result", draft.where);
    Answer given{results.empty() ? Feedback(Skip{"cancelled"})
                                 : studio_said(results.at(0), draft.judged.question, draft.where)};
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
