// One line an answer: who said what about which items, in which order they were shown, and how long it took.
#include "rlhf/feedback/exchange/csv.h"

#include "rlhf/core/error.h"
#include "rlhf/feedback/exchange/formats.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback::exchange {
namespace {

using nlohmann::json;

void write(const Judged& judged, Sheet& sheet) {
  const auto& question = judged.question;
  auto items = json::array();
  for (const auto& each : question.items) items.push_back(each.text);
  if (judged.answers.empty()) sheet.report.leave_out("questions without an answer");
  for (const auto& event : judged.answers) {
    const auto& given = std::get<Answer>(event.body);
    sheet.add(question, {{"question", question.id},
                         {"form", question.form.name},
                         {"split", split_name(question.split)},
                         {"prompt", question.prompt.messages.empty() ? question.prompt.text
                                                                     : prompt_json(question.prompt).dump()},
                         {"items", items.dump()},
                         {"shown", json(question.shown).dump()},
                         {"annotator", event.annotator.name},
                         {"source", source_name(event.annotator.source)},
                         {"guideline", event.guideline},
                         {"asked_at", event.asked_at},
                         {"answered_at", event.answered_at},
                         {"active_seconds", given.active_seconds},
                         {"comment", given.comment},
                         {"answer", to_json(given).dump()}});
  }
}

json parsed(const json& row, const char* name, const std::string& where) {
  auto value = json::parse(text_column(row, name, where), nullptr, false);
  if (!value.is_discarded()) return value;
  throw Error(
      {.category = Category::bad_data, .where = where, .what = std::string("\"") + name + "\" is no JSON", .fix = ""});
}

void read(const json& row, Draft& draft) {
  const auto prompt = text_column(row, "prompt", draft.where);
  const auto turns = prompt.starts_with("[{") ? json::parse(prompt, nullptr, false) : json(prompt);
  if (row.value("split", "train") != "train") draft.split = Split::heldout;
  ask(draft, row.value("form", "pair"), prompt_from(turns.is_discarded() ? json(prompt) : turns, draft.where),
      parsed(row, "items", draft.where).get<std::vector<std::string>>());
  auto& question = draft.judged.question;
  question.id = text_column(row, "question", draft.where);
  question.shown = parsed(row, "shown", draft.where).get<std::vector<int>>();
  question.guideline = row.value("guideline", "");
  answer(draft, text_column(row, "annotator", draft.where),
         answer_from_json(parsed(row, "answer", draft.where), draft.where), std::stod(row.value("answered_at", "0")));
  auto& event = draft.judged.answers.back();
  event.annotator.source = source_from_name(row.value("source", "human"), draft.where);
  event.asked_at = std::stod(row.value("asked_at", "0"));
}

}  // namespace

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (const auto& field : fields) {
    if (&field != &fields.front()) line += ',';
    if (field.find_first_of(",\"\r\n") == std::string::npos) {
      line += field;
      continue;
    }
    line += '"';
    for (const char c : field) line += c == '"' ? "\"\"" : std::string(1, c);
    line += '"';
  }
  return line + "\n";
}

std::vector<std::vector<std::string>> csv_records(std::string_view text, std::string_view where) {
  std::vector<std::vector<std::string>> records;
  std::vector<std::string> record(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"')
      record.back() += text[++i];
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && c == ',')
      record.emplace_back();
    else if (!quoted && c == '\n')
      records.push_back(std::exchange(record, std::vector<std::string>(1)));
    else if (quoted || c != '\r')
      record.back() += c;
  }
  if (quoted)
    throw Error({.category = Category::bad_data,
                 .where = std::string(where),
                 .what = "a quote is not closed",
                 .fix = "Is the file cut off?"});
  if (record.size() > 1 || !record.front().empty()) records.push_back(std::move(record));
  return records;
}

Format csv_format() { return {"csv", "one line an answer: annotator, order shown, times", "csv", write, read}; }

}  // namespace rlhf::feedback::exchange
