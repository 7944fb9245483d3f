// The shapes in which two papers published their comparisons: summaries (Stiennon et al. 2020) and WebGPT (Nakano et
// al. 2021).
#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/feedback/exchange/formats.h"

namespace rlhf::feedback::exchange {
namespace {

using nlohmann::json;

/// What reading put aside, to write it again.
Json kept_columns(const Question& question) {
  return question.metadata.is_object() ? Json(question.metadata.value("columns", json::object())) : Json::object();
}

std::string text_of(const data::Prompt& prompt) {
  if (prompt.messages.empty()) return prompt.text;
  std::string text;
  for (const auto& each : prompt.messages) text += (text.empty() ? "" : "\n\n") + each.content;
  return text;
}

Json summary_info(const Question& question) {
  Json info = kept_columns(question).value("info", Json::object());
  if (!info.contains("id")) info["id"] = question.id;
  info[info.contains("article") ? "article" : "post"] = text_of(question.prompt);
  return info;
}

data::Prompt summary_prompt(const json& info, const std::string& where) {
  return prompt_from(column(info, info.contains("article") ? "article" : "post", where), where);
}

Json summary(const Question& question, std::size_t item) {
  Json one = Json::object();
  const auto kept = kept_columns(question);
  if (kept.contains("summaries") && item < kept["summaries"].size()) one = kept["summaries"][item];
  one["text"] = question.items[item].text;
  return one;
}

void write_comparison(const Judged& judged, Sheet& sheet) {
  const auto& question = judged.question;
  for (const auto& event : judged.answers) {
    const auto& given = std::get<Answer>(event.body);
    const auto* said = std::get_if<Comparison>(&given.said);
    if (!said || question.items.size() != 2 || said->tie || said->incomparable) {
      sheet.report.leave_out(said && said->tie ? "ties" : "answers that choose none of two");
      continue;
    }
    Json extra = given.client.is_object() ? Json(given.client.value("extra", json::object())) : Json::object();
    if (said->strength < 1.0 && !extra.contains("confidence"))
      extra["confidence"] = std::lround(4 * said->strength) + (said->best == 1 ? 5 : 0);
    Json row = {{"info", summary_info(question)},
                {"summaries", {summary(question, 0), summary(question, 1)}},
                {"choice", said->best},
                {"worker", event.annotator.name},
                {"split", question.split == Split::train ? "train" : "valid1"},
                {"extra", extra}};
    const auto kept = kept_columns(question);  // outlives the loop over its items
    for (const auto& [key, value] : kept.items())
      if (key != "info" && key != "summaries") row[key] = value;
    sheet.add(question, row);
  }
}

void read_comparison(const json& row, Draft& draft) {
  const auto &info = column(row, "info", draft.where), &summaries = column(row, "summaries", draft.where);
  if (!summaries.is_array() || summaries.size() != 2)
    throw Error({.category = Category::bad_data, .where = draft.where, .what = "\"summaries\" are not two", .fix = ""});
  const auto best = column(row, "choice", draft.where).get<std::int64_t>();
  if (row.value("split", "train") != "train") draft.split = Split::heldout;
  ask(draft, "summary_comparison", summary_prompt(info, draft.where),
      {text_column(summaries[0], "text", draft.where), text_column(summaries[1], "text", draft.where)});
  draft.judged.question.metadata["columns"] = without(row, {"choice", "worker", "extra"});
  Answer given{Comparison{.best = best}};
  if (row.contains("extra")) given.client = {{"extra", row["extra"]}};
  answer(draft, row.value("worker", ""), given);
}

void write_axes(const Judged& judged, Sheet& sheet) {
  if (judged.question.form.name != "summary_axes") {
    sheet.report.leave_out("answers on other forms than summary_axes");
    return;
  }
  for (const auto& event : judged.answers) {
    const auto* said = std::get_if<Rating>(&std::get<Answer>(event.body).said);
    if (!said || judged.question.items.size() != 1) {
      sheet.report.leave_out("answers that rate no single summary");
      continue;
    }
    Json one = summary(judged.question, 0), axes = Json::object();
    for (const auto& each : said->values) axes[each.axis] = each.value;
    one["axes"] = axes;
    Json row = {{"info", summary_info(judged.question)},
                {"split", judged.question.split == Split::train ? "train" : "valid1"},
                {"summary", one},
                {"worker", event.annotator.name}};
    const auto kept = kept_columns(judged.question);  // outlives the loop over its items
    for (const auto& [key, value] : kept.items())
      if (key != "info" && key != "summaries") row[key] = value;
    sheet.add(judged.question, row);
  }
}

void read_axes(const json& row, Draft& draft) {
  const auto &info = column(row, "info", draft.where), &one = column(row, "summary", draft.where);
  if (row.value("split", "train") != "train") draft.split = Split::heldout;
  ask(draft, "summary_axes", summary_prompt(info, draft.where), {text_column(one, "text", draft.where)});
  auto columns = without(row, {"summary", "worker"});
  columns["summaries"] = json::array({without(one, {"axes"})});
  draft.judged.question.metadata["columns"] = columns;
  Rating rating;
  for (const auto& [axis, value] : column(one, "axes", draft.where).items())
    if (value.is_number()) rating.values.push_back({.item = 0, .axis = axis, .value = value.get<double>()});
  answer(draft, row.value("worker", ""), Answer{rating});
}

/// Below 0: the second answer is better. The scores of a row are opposite numbers.
double score_of(const Comparison& said) { return said.tie ? 0.0 : said.best == 0 ? said.strength : -said.strength; }

void write_webgpt(const Judged& judged, Sheet& sheet) {
  const auto& question = judged.question;
  for (const auto& event : judged.answers) {
    const auto* said = std::get_if<Comparison>(&std::get<Answer>(event.body).said);
    if (!said || said->incomparable || question.items.size() != 2) {
      sheet.report.leave_out("answers that compare no two");
      continue;
    }
    Json row = kept_columns(question);
    if (!row.contains("question")) row["question"] = {{"dataset", "own"}, {"id", question.id}};
    row["question"]["full_text"] = text_of(question.prompt);
    for (std::size_t i = 0; i < 2; ++i) {
      const auto end = std::to_string(i);
      Json titles = Json::array(), extracts = Json::array();
      for (const auto& quote : question.items[i].quotes) titles.push_back(quote.title), extracts.push_back(quote.text);
      row["quotes_" + end] = {{"title", titles}, {"extract", extracts}};
      row["answer_" + end] = question.items[i].text;
      row["score_" + end] = (i == 0 ? 1 : -1) * score_of(*said) + 0.0;
    }
    sheet.add(question, row);
  }
}

void read_webgpt(const json& row, Draft& draft) {
  const auto& asked = column(row, "question", draft.where);
  ask(draft, "webgpt", prompt_from(column(asked, "full_text", draft.where), draft.where),
      {text_column(row, "answer_0", draft.where), text_column(row, "answer_1", draft.where)});
  for (std::size_t i = 0; i < 2; ++i) {
    const auto quotes = row.value("quotes_" + std::to_string(i), json::object());
    const auto titles = quotes.value("title", json::array()), extracts = quotes.value("extract", json::array());
    for (std::size_t k = 0; k < extracts.size(); ++k)
      draft.judged.question.items[i].quotes.push_back(
          {k < titles.size() ? titles[k].get<std::string>() : "", extracts[k]});
  }
  draft.judged.question.metadata["columns"] =
      without(row, {"quotes_0", "quotes_1", "answer_0", "answer_1", "score_0", "score_1"});
  const double score = column(row, "score_0", draft.where).get<double>();
  answer(
      draft, "",
      Answer{Comparison{.best = score < 0 ? 1 : 0, .tie = score == 0, .strength = score == 0 ? 1.0 : std::abs(score)}});
}

}  // namespace

std::vector<Format> paper_formats() {
  return {{"summarize", "comparisons of summaries: info, summaries, choice, worker", "jsonl", write_comparison,
           read_comparison},
          {"summarize_axes", "ratings of summaries: info, summary with axes, worker", "jsonl", write_axes, read_axes},
          {"webgpt", "comparisons of answers with quotes and scores", "jsonl", write_webgpt, read_webgpt}};
}

}  // namespace rlhf::feedback::exchange
