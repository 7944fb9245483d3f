#include "rlhf/evaluation/detail/report_data.h"

#include <fmt/format.h>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/evaluation/overoptimization.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;

[[noreturn]] void broken(const std::string& where) {
  throw Error({.category = Category::bad_data,
               .where = where,
               .what = "this is no JSON object",
               .fix = "Remove the broken line or file; the rest can still be shown."});
}

std::string read_if_there(const std::filesystem::path& file) {
  return std::filesystem::exists(file) ? read_file(file) : "";
}

std::string trimmed(const std::string& part) {
  const auto begin = part.find_first_not_of(" \t\r");
  return begin == std::string::npos ? "" : part.substr(begin, part.find_last_not_of(" \t\r") - begin + 1);
}

/// Where a comment starts: the first # outside a quoted string.
std::size_t comment_of(const std::string& line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quote == 0 && line[i] == '#') return i;
    if (quote == 0 && (line[i] == '"' || line[i] == '\''))
      quote = line[i];
    else if (line[i] == quote && (i == 0 || line[i - 1] != '\\'))
      quote = 0;
  }
  return line.size();
}

/// The file is the project's own, one setting a line, so no TOML parser is needed to show it.
std::vector<Setting> read_settings(const std::filesystem::path& file) {
  std::vector<Setting> settings;
  const auto content = read_if_there(file);
  std::string group;
  for (std::size_t begin = 0; begin < content.size();) {
    const auto end = std::min(content.find('\n', begin), content.size());
    const auto line = content.substr(begin, end - begin);
    begin = end + 1;
    const auto comment = comment_of(line);
    const auto code = trimmed(line.substr(0, comment));
    const auto equal = code.find('=');
    if (code.starts_with('[') && equal == std::string::npos) {
      group = code.substr(1, code.rfind(']') - 1);
    } else if (equal != std::string::npos) {
      settings.push_back({.group = group,
                          .name = trimmed(code.substr(0, equal)),
                          .value = trimmed(code.substr(equal + 1)),
                          .origin = comment < line.size() ? trimmed(line.substr(comment + 1)) : ""});
    }
  }
  return settings;
}

}  // namespace

Json read_object(const std::filesystem::path& file) {
  const auto content = read_if_there(file);
  if (content.empty()) return Json::object();
  auto object = Json::parse(content, nullptr, false);
  if (!object.is_object()) broken(file.string());
  return object;
}

std::vector<Json> read_rows(const std::filesystem::path& file) {
  std::vector<Json> rows;
  const auto content = read_if_there(file);
  std::size_t line_number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const auto end = content.find('\n', begin);
    const bool whole = end != std::string::npos;
    const auto line = content.substr(begin, whole ? end - begin : std::string::npos);
    begin = whole ? end + 1 : content.size();
    ++line_number;
    if (line.empty()) continue;
    auto row = Json::parse(line, nullptr, false);
    if (row.is_object())
      rows.push_back(std::move(row));
    else if (whole)
      broken(fmt::format("{}:{}", file.string(), line_number));
  }
  return rows;
}

namespace {

std::vector<Json> read_list(const std::filesystem::path& file) {
  const auto content = read_if_there(file);
  if (content.empty()) return {};
  const auto list = Json::parse(content, nullptr, false);
  if (!list.is_array()) broken(file.string());
  return {list.begin(), list.end()};
}

}  // namespace

ReportData ReportData::read(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) {
    throw Error({.category = Category::bad_data,
                 .where = folder.string(),
                 .what = "there is no run folder here",
                 .fix = "Give the folder that --output named."});
  }
  ReportData data;
  data.folder = folder;
  data.run = read_object(folder / "run.json");
  data.verdict = read_object(folder / "verdict.json");
  data.evaluations = read_rows(folder / "evaluation.jsonl");
  data.metrics = read_rows(folder / "metrics.jsonl");
  data.timing = read_rows(folder / "timing.jsonl");
  data.samples = read_rows(folder / "samples.jsonl");
  data.arms = read_rows(folder / "arms.jsonl");
  data.audit = read_rows(folder / "audit.jsonl");
  data.promises = read_list(folder / "promises.json");
  data.settings = read_settings(folder / "config.toml");
  if (data.verdict.empty() && !data.evaluations.empty()) {
    std::vector<Observation> observations;
    for (const auto& row : data.evaluations) observations.push_back(Observation::from_row(row));
    data.verdict = judge_run(observations).to_json();
  }
  return data;
}

std::optional<double> number(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::vector<Point> points(const std::vector<Json>& rows, const char* key, const char* low, const char* high) {
  std::vector<Point> result;
  for (const auto& row : rows) {
    const auto step = number(row, "step"), value = number(row, key);
    if (!step || !value) continue;
    Point point{.x = *step, .y = *value};
    if (low != nullptr) point.low = number(row, low);
    if (high != nullptr) point.high = number(row, high);
    result.push_back(std::move(point));
  }
  return result;
}

}  // namespace rlhf::evaluation::detail
