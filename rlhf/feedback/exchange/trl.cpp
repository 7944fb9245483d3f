// The dataset types of TRL, standard (texts) and conversational (lists of turns).
#include <fmt/format.h>

#include <algorithm>

#include "rlhf/core/error.h"
#include "rlhf/data/readers/shared_prompt.h"
#include "rlhf/feedback/exchange/formats.h"

namespace rlhf::feedback::exchange {
namespace {

using nlohmann::json;

/// A completion in the prompt's kind: a text, or one turn of the assistant.
json completion(const Question& question, const std::string& text) {
  if (question.prompt.messages.empty()) return text;
  return json::array({{{"role", "assistant"}, {"content", text}}});
}

std::string completion_from(const json& value, const std::string& where) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array() && value.size() == 1 && value[0].value("role", "") == "assistant")
    return text_column(value[0], "content", where);
  throw Error({.category = Category::bad_data,
               .where = where,
               .what = "a completion is neither a text nor one turn of the assistant",
               .fix = "Move the earlier turns into the prompt."});
}

void write_preference(const Judged& judged, Sheet& sheet) {
  const auto& question = judged.question;
  each_pair(judged, sheet, [&](int chosen, int rejected, const Event& event) {
    const auto* said = std::get_if<Comparison>(&std::get<Answer>(event.body).said);
    if (said && said->strength != 1.0) sheet.report.leave_out("strengths (the row was written)");
    sheet.add(question, {{"prompt", prompt_json(question.prompt)},
                         {"chosen", completion(question, question.items[static_cast<std::size_t>(chosen)].text)},
                         {"rejected", completion(question, question.items[static_cast<std::size_t>(rejected)].text)}});
  });
}

void read_preference(const json& row, Draft& draft) {
  const auto &chosen = column(row, "chosen", draft.where), &rejected = column(row, "rejected", draft.where);
  if (row.contains("prompt")) {
    ask(draft, "pair", prompt_from(row["prompt"], draft.where),
        {completion_from(chosen, draft.where), completion_from(rejected, draft.where)});
  } else if (chosen.is_string() && rejected.is_string()) {
    const auto one = chosen.get<std::string>(), other = rejected.get<std::string>();
    const auto shared = data::shared_prompt_bytes(one, other);
    ask(draft, "pair", prompt_from(one.substr(0, shared), draft.where), {one.substr(shared), other.substr(shared)});
  } else {
    auto turns = chosen;
    turns.erase(turns.size() - 1);
    ask(draft, "pair", prompt_from(turns, draft.where),
        {completion_from(json::array({chosen.back()}), draft.where),
         completion_from(json::array({rejected.back()}), draft.where)});
  }
  answer(draft, "", Answer{Comparison{.best = 0}});
}

void write_unpaired(const Judged& judged, Sheet& sheet) {
  const auto& question = judged.question;
  const auto add = [&](int item, bool good) {
    sheet.add(question, {{"prompt", prompt_json(question.prompt)},
                         {"completion", completion(question, question.items[static_cast<std::size_t>(item)].text)},
                         {"label", good}});
  };
  for (const auto& event : judged.answers) {
    const auto& said = std::get<Answer>(event.body).said;
    if (const auto* rating = std::get_if<Rating>(&said)) {
      const auto& axis = question.form.parts.front().axes.front();
      for (const auto& each : rating->values) {
        const double middle = (axis.low + axis.high) / 2;
        if (each.axis != axis.name)
          sheet.report.leave_out("ratings on further axes");
        else if (each.value == middle)
          sheet.report.leave_out("ratings in the middle of the scale");
        else
          add(each.item, each.value > middle);
      }
    } else if (const auto* rules = std::get_if<RuleJudgement>(&said)) {
      for (const auto& each : rules->entries) {
        if (each.verdict == Verdict::unsure)
          sheet.report.leave_out("unsure about a rule");
        else
          add(each.item, each.verdict == Verdict::ok);
      }
    } else if (const auto* pair = std::get_if<Comparison>(&said);
               pair && !pair->incomparable && (!pair->tie || pair->both_bad)) {
      for (int i = 0; i < static_cast<int>(question.items.size()); ++i) add(i, !pair->both_bad && i == pair->best);
    } else {
      sheet.report.leave_out("answers that call nothing good or bad");
    }
  }
}

void read_unpaired(const json& row, Draft& draft) {
  const auto& label = column(row, "label", draft.where);
  if (!label.is_boolean())
    throw Error(
        {.category = Category::bad_data, .where = draft.where, .what = "\"label\" is no true or false", .fix = ""});
  ask(draft, "rating", prompt_from(column(row, "prompt", draft.where), draft.where),
      {completion_from(column(row, "completion", draft.where), draft.where)});
  const auto& axis = draft.judged.question.form.parts.front().axes.front();
  answer(draft, "",
         Answer{Rating{{{.item = 0, .axis = axis.name, .value = label.get<bool>() ? axis.high : axis.low}}}});
}

void write_prompts(const Judged& judged, Sheet& sheet) {
  sheet.add(judged.question, {{"prompt", prompt_json(judged.question.prompt)}});
}

void read_prompts(const json& row, Draft& draft) {
  ask(draft, "demonstration", prompt_from(column(row, "prompt", draft.where), draft.where), {});
}

void write_demonstrations(const Judged& judged, Sheet& sheet) {
  const auto& question = judged.question;
  for (const auto& event : judged.answers) {
    const auto& said = std::get<Answer>(event.body).said;
    const auto* written = std::get_if<Demonstration>(&said);
    const auto* better = std::get_if<Correction>(&said);
    if (written || better) {
      sheet.add(question, {{"prompt", prompt_json(question.prompt)},
                           {"completion", completion(question, written ? written->text : better->text)}});
    } else if (std::holds_alternative<Conversation>(said)) {
      sheet.report.leave_out("conversations (see trl_messages)");
    } else {
      sheet.report.leave_out("answers that write nothing");
    }
  }
}

void read_demonstrations(const json& row, Draft& draft) {
  ask(draft, "demonstration", prompt_from(column(row, "prompt", draft.where), draft.where), {});
  answer(draft, "", Answer{Demonstration{completion_from(column(row, "completion", draft.where), draft.where)}});
}

void write_messages(const Judged& judged, Sheet& sheet) {
  for (const auto& event : judged.answers) {
    const auto& said = std::get<Answer>(event.body).said;
    data::Prompt turns = judged.question.prompt;
    if (turns.messages.empty() && !turns.text.empty()) turns.messages.push_back({"user", turns.text});
    if (const auto* written = std::get_if<Demonstration>(&said))
      turns.messages.push_back({"assistant", written->text});
    else if (const auto* better = std::get_if<Correction>(&said))
      turns.messages.push_back({"assistant", better->text});
    else if (const auto* talk = std::get_if<Conversation>(&said))
      turns.messages = talk->messages;
    else {
      sheet.report.leave_out("answers that write nothing");
      continue;
    }
    sheet.add(judged.question, {{"messages", prompt_json(turns)}});
  }
}

void read_messages(const json& row, Draft& draft) {
  auto turns = prompt_from(column(row, "messages", draft.where), draft.where);
  if (turns.messages.empty() || turns.messages.back().role != "assistant")
    throw Error({.category = Category::bad_data,
                 .where = draft.where,
                 .what = "the last turn is not the assistant's",
                 .fix = ""});
  const auto last = turns.messages.back().content;
  turns.messages.pop_back();
  ask(draft, "demonstration", std::move(turns), {});
  answer(draft, "", Answer{Demonstration{last}});
}

/// Items are steps where every one of them was judged by the same rule.
void write_stepwise(const Judged& judged, Sheet& sheet) {
  const auto& items = judged.question.items;
  for (const auto& event : judged.answers) {
    const auto* rules = std::get_if<RuleJudgement>(&std::get<Answer>(event.body).said);
    if (!rules || items.size() < 2 || rules->entries.size() != items.size()) {
      sheet.report.leave_out("answers that do not judge every step");
      continue;
    }
    Json steps = Json::array(), labels = Json::array();
    for (const auto& each : rules->entries) {
      steps.push_back(items[static_cast<std::size_t>(each.item)].text);
      labels.push_back(each.verdict == Verdict::ok);
    }
    sheet.add(judged.question,
              {{"prompt", prompt_json(judged.question.prompt)}, {"completions", steps}, {"labels", labels}});
  }
}

Json turn(std::string_view role, const Json& text) { return Json::array({{{"role", role}, {"content", text}}}); }

}  // namespace

void alike(Sheet& sheet) {
  const auto is_text = [](const Row& row) { return row.value.contains("prompt") && row.value["prompt"].is_string(); };
  const auto texts = std::count_if(sheet.rows.begin(), sheet.rows.end(), is_text);
  if (texts == 0 || texts == static_cast<std::ptrdiff_t>(sheet.rows.size())) return;
  for (auto& row : sheet.rows) {
    if (!is_text(row)) continue;
    row.value["prompt"] = turn("user", row.value["prompt"]);
    for (const char* name : {"chosen", "rejected", "completion"})
      if (row.value.contains(name)) row.value[name] = turn("assistant", row.value[name]);
  }
  sheet.report.leave_out("plain texts (written as turns, as other rows are)", "", texts);
}

std::vector<Format> trl_formats() {
  return {
      {"trl", "TRL preference: prompt, chosen, rejected", "jsonl", write_preference, read_preference},
      {"trl_unpaired", "TRL unpaired preference: prompt, completion, label", "jsonl", write_unpaired, read_unpaired},
      {"trl_prompts", "TRL prompt-only: prompt", "jsonl", write_prompts, read_prompts},
      {"trl_completions", "TRL prompt-completion, from what people wrote", "jsonl", write_demonstrations,
       read_demonstrations},
      {"trl_messages", "TRL language modelling: messages, from what people wrote", "jsonl", write_messages,
       read_messages},
      {"trl_stepwise", "TRL stepwise supervision: prompt, completions, labels", "jsonl", write_stepwise, nullptr}};
}

}  // namespace rlhf::feedback::exchange
