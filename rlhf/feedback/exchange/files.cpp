#include "rlhf/feedback/exchange/files.h"

#include <unordered_map>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/data/readers/jsonl.h"
#include "rlhf/feedback/exchange/csv.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback::exchange {
namespace {

using nlohmann::json;

/// Bytes that are not UTF-8 (a completion cut inside a character) become U+FFFD.
std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string csv_text(const std::vector<Row>& rows) {
  std::string text;
  std::vector<std::string> fields;
  for (const auto& [key, value] : rows.front().value.items()) fields.push_back(key);
  text += csv_line(fields);
  for (const auto& row : rows) {
    fields.clear();
    for (const auto& [key, value] : row.value.items())
      fields.push_back(value.is_string() ? value.get<std::string>() : dump(value));
    text += csv_line(fields);
  }
  return text;
}

std::vector<data::JsonlRow> csv_rows(const std::string& file) {
  const auto records = csv_records(rlhf::read_file(file), file);
  std::vector<data::JsonlRow> rows;
  for (std::size_t i = 1; i < records.size(); ++i) {
    json row = json::object();
    for (std::size_t k = 0; k < records[i].size() && k < records[0].size(); ++k) row[records[0][k]] = records[i][k];
    rows.push_back({row, file + " record " + std::to_string(i), static_cast<std::int64_t>(i)});
  }
  return rows;
}

/// Adds a row's answers to the question it asks, which may be there already.
void merge(Judged one, const Format& format, std::vector<Judged>& all,
           std::unordered_map<std::string, std::size_t>& places) {
  if (one.question.id.empty()) {
    auto content = to_json(one.question);
    one.question.id = "import/" + std::string(format.name) + "/" + sha256(content.dump()).substr(0, 16);
  }
  if (one.question.prompt.id.empty()) one.question.prompt.id = one.question.id;
  const auto [found, is_new] = places.emplace(one.question.id, all.size());
  if (is_new) return all.push_back(std::move(one));
  auto& answers = all[found->second].answers;
  answers.insert(answers.end(), one.answers.begin(), one.answers.end());
}

void check(Judged& one) {
  validate(one.question);
  for (const auto& each : one.answers) validate(std::get<Answer>(each.body), one.question);
}

}  // namespace

Sheet rows_of(const Format& format, const std::vector<Judged>& judged, Report report) {
  Sheet sheet{.rows = {}, .report = std::move(report)};
  for (const auto& each : judged) format.write(each, sheet);
  if (format.name.starts_with("trl") && format.name != "trl_stepwise") alike(sheet);
  sheet.report.rows = static_cast<std::int64_t>(sheet.rows.size());
  return sheet;
}

std::string file_text(const Format& format, const std::vector<Row>& rows, bool split_column) {
  if (rows.empty()) return format.ending == "json" ? "[]\n" : "";
  if (format.ending == "csv") return csv_text(rows);
  std::string text;
  for (const auto& row : rows) {
    auto value = row.value;
    if (split_column) value["split"] = split_name(row.split);
    text += (format.ending == "json" ? (text.empty() ? "[\n" : ",\n") : "") + dump(value) +
            (format.ending == "json" ? "" : "\n");
  }
  return format.ending == "json" ? text + "\n]\n" : text;
}

std::vector<Judged> read_file(const std::string& file, const Format& format, Report& report) {
  if (!format.read)
    throw Error({.category = Category::usage,
                 .where = std::string(format.name),
                 .what = "this format can be written, not read",
                 .fix = ""});
  std::vector<Judged> all;
  std::unordered_map<std::string, std::size_t> places;
  const auto take = [&](const data::JsonlRow& row) {
    Draft draft;
    draft.format = format.name, draft.where = row.where;
    try {
      format.read(row.value, draft);
      if (draft.judged.question.id.empty()) draft.judged.question.id = "?";
      check(draft.judged);
      if (draft.judged.question.id == "?") draft.judged.question.id.clear();
      merge(std::move(draft.judged), format, all, places);
      for (const auto& reason : draft.left_out) report.leave_out(reason, row.where);
      ++report.rows;
    } catch (const Error& error) {
      report.leave_out(error.problem(), row.where);
    } catch (const json::exception& error) {
      report.leave_out("a column has the wrong type", row.where);
    }
  };
  if (format.ending == "csv") {
    for (const auto& row : csv_rows(file)) take(row);
  } else {
    auto reader = data::JsonlReader::open(file);
    while (const auto row = reader.next()) take(*row);
  }
  if (report.rows > 0) return all;
  throw Error({.category = Category::bad_data,
               .where = file,
               .what = "no row is of the format " + std::string(format.name) +
                       (report.examples.empty() ? "" : "; " + report.examples.front()),
               .fix = "Name another format with --form."});
}

std::vector<Event> events_of(const std::vector<Judged>& judged) {
  std::vector<Event> events;
  for (const auto& each : judged) {
    auto question = each.question;
    question.answers = std::max<int>(question.answers, static_cast<int>(each.answers.size()));
    events.push_back({.question = question.id, .body = question});
  }
  for (const auto& each : judged) {
    for (std::size_t i = 0; i < each.answers.size(); ++i) {
      auto event = each.answers[i];
      event.question = each.question.id;
      for (std::size_t k = 0; k < i; ++k)  // a file that does not say who: everybody is somebody else
        if (each.answers[k].annotator.name == event.annotator.name)
          event.annotator.name = each.answers[i].annotator.name + "-" + std::to_string(i + 1);
      events.push_back(std::move(event));
    }
  }
  for (std::size_t i = 0; i < events.size(); ++i) events[i].sequence = static_cast<std::int64_t>(i) + 1;
  return events;
}

}  // namespace rlhf::feedback::exchange
