// Dialogues as one text: "\n\nHuman: ...\n\nAssistant: ..." (Bai et al. 2022), and transcripts of attacks (Ganguli et
// al. 2022).
#include "rlhf/core/error.h"
#include "rlhf/data/readers/shared_prompt.h"
#include "rlhf/feedback/exchange/formats.h"

namespace rlhf::feedback::exchange {
namespace {

using nlohmann::json;

constexpr std::string_view human = "\n\nHuman:", assistant = "\n\nAssistant:";

std::string turns_text(const std::vector<data::Message>& messages) {
  std::string text;
  for (const auto& each : messages)
    text += std::string(each.role == "assistant" ? assistant : human) + " " + each.content;
  return text;
}

/// The prompt as a dialogue that ends where the assistant begins to speak.
std::string dialogue_of(const data::Prompt& prompt) {
  if (!prompt.messages.empty()) return turns_text(prompt.messages) + std::string(assistant);
  if (prompt.text.find(human) != std::string::npos || prompt.text.ends_with(assistant)) return prompt.text;
  return std::string(human) + " " + prompt.text + std::string(assistant);
}

std::string spoken(const std::string& prompt, const std::string& text) {
  const bool joined = !prompt.ends_with(":") || text.empty() || text.front() == ' ' || text.front() == '\n';
  return prompt + (joined ? "" : " ") + text;
}

void write_hh(const Judged& judged, Sheet& sheet) {
  const auto prompt = dialogue_of(judged.question.prompt);
  each_pair(judged, sheet, [&](int chosen, int rejected, const Event& event) {
    const auto* said = std::get_if<Comparison>(&std::get<Answer>(event.body).said);
    if (said && said->strength != 1.0) sheet.report.leave_out("strengths (the row was written)");
    sheet.add(judged.question,
              {{"chosen", spoken(prompt, judged.question.items[static_cast<std::size_t>(chosen)].text)},
               {"rejected", spoken(prompt, judged.question.items[static_cast<std::size_t>(rejected)].text)}});
  });
}

void read_hh(const json& row, Draft& draft) {
  const auto chosen = text_column(row, "chosen", draft.where), rejected = text_column(row, "rejected", draft.where);
  if (chosen == rejected)
    throw Error({.category = Category::bad_data,
                 .where = draft.where,
                 .what = "chosen and rejected are the same text",
                 .fix = ""});
  const auto shared = data::shared_prompt_bytes(chosen, rejected);
  ask(draft, "pair", prompt_from(chosen.substr(0, shared), draft.where),
      {chosen.substr(shared), rejected.substr(shared)});
  answer(draft, "", Answer{Comparison{.best = 0}});
}

std::vector<data::Message> turns_from(const std::string& transcript) {
  std::vector<data::Message> turns;
  for (std::size_t at = 0; at < transcript.size();) {
    const bool person = transcript.compare(at, human.size(), human) == 0;
    const auto mark = person                                                     ? human.size()
                      : transcript.compare(at, assistant.size(), assistant) == 0 ? assistant.size()
                                                                                 : 0;
    const auto next = std::min(transcript.find(human, at + 1), transcript.find(assistant, at + 1));
    auto text = transcript.substr(at + mark, next == std::string::npos ? next : next - at - mark);
    if (mark > 0 && text.starts_with(' ')) text.erase(0, 1);
    turns.push_back({person || mark == 0 ? "user" : "assistant", text});
    at = next;
  }
  return turns;
}

void write_red_team(const Judged& judged, Sheet& sheet) {
  for (const auto& event : judged.answers) {
    const auto& given = std::get<Answer>(event.body);
    const auto* talk = std::get_if<Conversation>(&given.said);
    if (!talk) {
      sheet.report.leave_out("answers that are no conversation");
      continue;
    }
    Json row = judged.question.metadata.is_object() ? Json(judged.question.metadata.value("columns", json::object()))
                                                    : Json::object();
    row["transcript"] = turns_text(talk->messages);
    row["red_team_member_id"] = event.annotator.name;
    if (const auto plan = given.details.find("plan"); plan != given.details.end())
      if (const auto* text = std::get_if<Demonstration>(&plan->second)) row["task_description"] = text->text;
    if (const auto success = given.details.find("success"); success != given.details.end())
      if (const auto* rating = std::get_if<Rating>(&success->second); rating && !rating->values.empty())
        row["rating"] = rating->values.front().value;
    sheet.add(judged.question, row);
  }
}

void read_red_team(const json& row, Draft& draft) {
  ask(draft, "red_team", {}, {});
  draft.judged.question.metadata["columns"] =
      without(row, {"transcript", "task_description", "rating", "red_team_member_id"});
  Answer given{Conversation{turns_from(text_column(row, "transcript", draft.where)), {}}};
  given.details["plan"] = Demonstration{text_column(row, "task_description", draft.where)};
  given.details["success"] =
      Rating{{{.item = 0, .axis = "success", .value = column(row, "rating", draft.where).get<double>()}}};
  const auto& member = column(row, "red_team_member_id", draft.where);
  answer(draft, member.is_string() ? member.get<std::string>() : member.dump(), given);
}

}  // namespace

std::vector<Format> dialogue_formats() {
  return {{"hh_rlhf", "dialogues as text: chosen, rejected", "jsonl", write_hh, read_hh},
          {"red_team", "transcripts of attacks with the attacker's rating", "jsonl", write_red_team, read_red_team}};
}

}  // namespace rlhf::feedback::exchange
