#include "rlhf/feedback/exchange/formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/core/spelling.h"

namespace rlhf::feedback::exchange {

const std::vector<Format>& formats() {
  static const std::vector<Format> table = [] {
    std::vector<Format> all;
    for (auto family : {trl_formats(), dialogue_formats(), paper_formats()})
      all.insert(all.end(), family.begin(), family.end());
    for (auto each : {argilla_format(), label_studio_format(), csv_format()}) all.push_back(each);
    return all;
  }();
  return table;
}

const Format& format(std::string_view name) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '-', '_');
  std::vector<std::string> names = {"events"};
  for (const auto& each : formats()) {
    if (each.name == wanted) return each;
    names.emplace_back(each.name);
  }
  const auto meant = nearest(wanted, names);
  throw Error(
      {.category = Category::usage,
       .where = "format " + std::string(name),
       .what = "there is no such format",
       .fix = meant ? "Did you mean \"" + *meant + "\"?" : fmt::format("There are: {}.", fmt::join(names, ", "))});
}

const nlohmann::json& column(const nlohmann::json& row, const char* name, const std::string& where) {
  if (row.is_object()) {
    const auto found = row.find(name);
    if (found != row.end() && !found->is_null()) return *found;
  }
  std::vector<std::string> there;
  for (const auto& [key, value] : row.items()) there.push_back(key);
  throw Error({.category = Category::bad_data,
               .where = where,
               .what = fmt::format("the column \"{}\" is missing; found {}", name, fmt::join(there, ", ")),
               .fix = "Check the format, or rename the column."});
}

std::string text_column(const nlohmann::json& row, const char* name, const std::string& where) {
  const auto& value = column(row, name, where);
  if (value.is_string()) return value.get<std::string>();
  throw Error({.category = Category::bad_data,
               .where = where,
               .what = fmt::format("\"{}\" is {}, a text was expected", name, value.type_name()),
               .fix = "Check the format."});
}

nlohmann::json without(nlohmann::json row, std::initializer_list<const char*> names) {
  for (const char* name : names) row.erase(name);
  return row;
}

data::Prompt prompt_from(const nlohmann::json& value, const std::string& where) {
  data::Prompt prompt;
  if (value.is_string()) {
    prompt.text = value.get<std::string>();
    return prompt;
  }
  if (!value.is_array())
    throw Error({.category = Category::bad_data,
                 .where = where,
                 .what = "a prompt is neither a text nor a list of turns",
                 .fix = ""});
  for (const auto& turn : value) {
    auto extra = without(turn, {"role", "content"});
    prompt.messages.push_back({text_column(turn, "role", where), text_column(turn, "content", where),
                               extra.empty() ? nlohmann::json() : extra});
  }
  return prompt;
}

nlohmann::json prompt_json(const data::Prompt& prompt) {
  if (prompt.messages.empty()) return prompt.text;
  auto turns = nlohmann::json::array();
  for (const auto& each : prompt.messages) {
    nlohmann::json turn = {{"role", each.role}, {"content", each.content}};
    if (each.extra.is_object()) turn.update(each.extra);
    turns.push_back(turn);
  }
  return turns;
}

void ask(Draft& draft, std::string_view form, data::Prompt prompt, const std::vector<std::string>& items) {
  auto& question = draft.judged.question;
  question.form = builtin_form(form);
  question.prompt = std::move(prompt);
  question.split = draft.split;
  for (const auto& text : items) {
    question.shown.push_back(static_cast<int>(question.items.size()));
    question.items.push_back(
        {.text = text, .ids = {}, .sample = question.shown.back(), .quotes = {}, .clip = {}, .segment = {}});
  }
}

void answer(Draft& draft, const std::string& annotator, Answer said, double at) {
  Event event;
  event.body = std::move(said);
  event.annotator = {annotator.empty() ? draft.annotator : annotator, Source::human};
  event.asked_at = event.answered_at = at;
  draft.judged.answers.push_back(std::move(event));
}

void each_pair(const Judged& judged, Sheet& sheet, const std::function<void(int, int, const Event&)>& use) {
  const auto items = static_cast<int>(judged.question.items.size());
  if (judged.answers.empty()) sheet.report.leave_out("questions without an answer");
  for (const auto& event : judged.answers) {
    const auto& said = std::get<Answer>(event.body).said;
    if (const auto* comparison = std::get_if<Comparison>(&said)) {
      if (comparison->tie || comparison->incomparable) {
        sheet.report.leave_out(comparison->incomparable ? "\"cannot compare\"" : "ties");
        continue;
      }
      for (int other = 0; other < items; ++other)
        if (other != comparison->best) use(static_cast<int>(comparison->best), other, event);
    } else if (const auto* ranking = std::get_if<Ranking>(&said)) {
      for (std::size_t better = 0; better < ranking->groups.size(); ++better)
        for (std::size_t worse = better + 1; worse < ranking->groups.size(); ++worse)
          for (const int chosen : ranking->groups[better])
            for (const int rejected : ranking->groups[worse]) use(chosen, rejected, event);
    } else {
      sheet.report.leave_out(std::holds_alternative<Skip>(said) ? "skips" : "answers that compare nothing");
    }
  }
}

}  // namespace rlhf::feedback::exchange
