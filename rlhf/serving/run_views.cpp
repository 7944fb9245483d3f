#include "rlhf/serving/run_views.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/serving/http.h"

namespace rlhf::serving {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// A name is one folder's name, never a way out of the runs' folder.
fs::path run_folder(const fs::path& runs, const std::string& name) {
  const bool plain = !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
                     name.find('\0') == std::string::npos;
  if (plain && fs::is_regular_file(runs / name / "run.json")) return runs / name;
  throw Error({.category = Category::bad_data,
               .where = "run \"" + name + "\"",
               .what = "there is no such run",
               .fix = "`GET /api/runs` lists them."});
}

/// The rows of a JSONL file that is still growing; a last line that is only half there is left for later.
template <class Use>
void each_row(const fs::path& file, Use use) {
  std::ifstream lines(file);
  std::string line;
  while (std::getline(lines, line) && !lines.eof()) {
    auto row = json::parse(line, nullptr, false);
    if (row.is_object()) use(std::move(row));
  }
}

double seconds_since_1970(fs::file_time_type when) {
  const auto system = std::chrono::file_clock::to_sys(when);
  return std::chrono::duration<double>(system.time_since_epoch()).count();
}

json summary_of(const fs::path& folder) {
  const auto record = json::parse(read_file(folder / "run.json"), nullptr, false);
  json last;
  each_row(folder / "metrics.jsonl", [&](json row) { last = std::move(row); });
  const bool done = fs::exists(folder / "results.json") || fs::exists(folder / "report.html");
  std::error_code missing;
  const auto written = fs::last_write_time(folder / "metrics.jsonl", missing);
  return {{"name", folder.filename().string()},
          {"algorithm", record.is_object() ? record.value("algorithm", "") : ""},
          {"title", record.is_object() ? record.value("name", "") : ""},
          {"step", last.is_object() ? last.value("step", 0) : 0},
          {"updated_at", missing ? json() : json(seconds_since_1970(written))},
          {"state", done ? "finished" : "running"}};
}

Response list(const fs::path& runs) {
  std::vector<json> found;
  std::error_code none;
  for (const auto& each : fs::directory_iterator(runs, none)) {
    if (fs::is_regular_file(each.path() / "run.json")) found.push_back(summary_of(each.path()));
  }
  std::sort(found.begin(), found.end(), [](const json& one, const json& other) {
    const auto at = [](const json& run) {
      return run["updated_at"].is_number() ? run["updated_at"].get<double>() : 0.0;
    };
    return at(one) > at(other);
  });
  return Response::json({{"runs", found}});
}

/// Rows from `after` on, which are few while a page follows a run.
Response metrics(const fs::path& folder, long long after) {
  auto rows = json::array();
  long long last = after;
  each_row(folder / "metrics.jsonl", [&](json row) {
    const auto step = row.value("step", 0LL);
    last = std::max(last, step);
    if (step > after) rows.push_back(std::move(row));
  });
  return Response::json({{"rows", rows}, {"last", last}});
}

Response samples(const fs::path& folder, std::size_t limit) {
  std::vector<json> all;
  each_row(folder / "samples.jsonl", [&](json row) { all.push_back(std::move(row)); });
  if (all.size() > limit) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(limit));
  return Response::json({{"samples", all}});
}

json file_json(const fs::path& file) {
  return fs::exists(file) ? json::parse(read_file(file), nullptr, false) : json();
}

Response config(const fs::path& folder) {
  const auto file = folder / "config.toml";
  return Response::json({{"toml", fs::exists(file) ? json(read_file(file)) : json()},
                         {"run", file_json(folder / "run.json")},
                         {"verdict", file_json(folder / "verdict.json")}});
}

Response evaluation(const fs::path& folder) {
  auto rows = json::array();
  each_row(folder / "evaluation.jsonl", [&](json row) { rows.push_back(std::move(row)); });
  return Response::json({{"rows", rows}});
}

}  // namespace

json reward_model_points(const fs::path& runs) {
  json newest = json::array();
  fs::file_time_type newest_at = fs::file_time_type::min();
  std::error_code none;
  for (const auto& each : fs::directory_iterator(runs, none)) {
    const auto file = each.path() / "metrics.jsonl";
    std::error_code missing;
    const auto written = fs::last_write_time(file, missing);
    if (missing || written < newest_at) continue;
    auto points = json::array();
    each_row(file, [&](const json& row) {
      if (!row.contains("reward_model/labels") || !row.contains("reward_model/eval_accuracy")) return;
      points.push_back({{"labels", row["reward_model/labels"]},
                        {"accuracy", row["reward_model/eval_accuracy"]},
                        {"low", row.value("reward_model/eval_accuracy_low", json())},
                        {"high", row.value("reward_model/eval_accuracy_high", json())}});
    });
    if (points.empty()) continue;
    newest = std::move(points);
    newest_at = written;
  }
  return newest;
}

void add_run_routes(Router& router, const fs::path& runs) {
  const RouteOptions viewers{.access = Access::viewers};
  router.get("/api/runs", [runs](const Request&) { return list(runs); }, viewers);
  const auto of_run = [runs](Response (*view)(const fs::path&)) {
    return [runs, view](const Request& request) { return view(run_folder(runs, request.parameter("name"))); };
  };
  router.get("/api/runs/{name}/config", of_run(config), viewers);
  router.get("/api/runs/{name}/evaluation", of_run(evaluation), viewers);
  router.get(
      "/api/runs/{name}/metrics",
      [runs](const Request& request) {
        return metrics(run_folder(runs, request.parameter("name")), request.query_number("after", -1, -1, 1LL << 53));
      },
      viewers);
  router.get(
      "/api/runs/{name}/samples",
      [runs](const Request& request) {
        return samples(run_folder(runs, request.parameter("name")),
                       static_cast<std::size_t>(request.query_number("limit", 200, 1, 5000)));
      },
      viewers);
}

}  // namespace rlhf::serving
