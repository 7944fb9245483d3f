// A study's arms: what they came to over their seeds, how they learnt, and how many runs got how far.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "rlhf/evaluation/detail/html.h"
#include "rlhf/evaluation/detail/report_sections.h"
#include "rlhf/evaluation/over_seeds.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;
using Rows = std::vector<Json>;

/// Arms in the order of their first run.
std::vector<std::string> arms_of(const Rows& rows) {
  std::vector<std::string> arms;
  for (const auto& row : rows)
    if (const auto arm = text(row, "arm"); std::find(arms.begin(), arms.end(), arm) == arms.end()) arms.push_back(arm);
  return arms;
}

std::vector<double> values_of(const Rows& rows, const std::string& arm, const std::string& key) {
  std::vector<double> values;
  for (const auto& row : rows)
    if (text(row, "arm") == arm)
      if (const auto value = number(row, key.c_str())) values.push_back(*value);
  return values;
}

std::vector<std::string> numbers_of(const Rows& rows) {
  std::set<std::string> names;
  for (const auto& row : rows)
    for (const auto& [key, value] : row.items())
      if (value.is_number() && key != "seed") names.insert(key);
  return {names.begin(), names.end()};
}

/// Mean, interval and, where the pointer rests, every run.
std::string cell(const std::vector<double>& values) {
  if (values.empty()) return "<td></td>";
  std::string each;
  for (const double value : values) each += (each.empty() ? "" : ", ") + short_number(value);
  if (values.size() == 1) return fmt::format("<td>{}</td>", short_number(values[0]));
  const auto mean = mean_over_runs(values);
  return fmt::format("<td title='runs: {}; interquartile mean {}'>{} <small>[{}, {}]</small></td>", each,
                     short_number(interquartile_mean(values)), short_number(mean.mean), short_number(mean.low),
                     short_number(mean.high));
}

std::string table(const Rows& rows) {
  const auto names = numbers_of(rows);
  std::string head = "<th scope='col'>Arm</th><th scope='col'>Runs</th>", body;
  for (const auto& name : names) head += fmt::format("<th scope='col'>{}</th>", escape(name));
  for (const auto& arm : arms_of(rows)) {
    const auto runs = std::count_if(rows.begin(), rows.end(), [&](const Json& row) { return text(row, "arm") == arm; });
    body += fmt::format("<tr><th scope='row'>{}</th><td>{}</td>", escape(arm), runs);
    for (const auto& name : names) body += cell(values_of(rows, arm, name));
    body += "</tr>";
  }
  return wide_table("What the arms came to", head, body);
}

/// The mean return of finished episodes over the seeds that reported after equally many steps, with their range.
std::vector<Point> curve(const ReportData& data, const std::string& arm) {
  std::map<double, std::vector<double>> by_steps;
  std::size_t seeds = 0;
  for (const auto& row : data.arms) {
    if (text(row, "arm") != arm) continue;
    ++seeds;
    const auto folder = data.folder / "arms" / fmt::format("{}-{}", arm, row.value("seed", 0));
    for (const auto& metrics : read_rows(folder / "metrics.jsonl")) {
      const auto steps = number(metrics, "rollout/steps"), earned = number(metrics, "rollout/ep_rew_mean");
      if (steps && earned) by_steps[*steps].push_back(*earned);
    }
  }
  std::vector<Point> points;
  for (const auto& [steps, returns] : by_steps) {
    if (returns.size() < seeds) continue;
    const auto [low, high] = std::minmax_element(returns.begin(), returns.end());
    const auto mean = mean_over_runs(returns, {.resamples = 1}).mean;
    points.push_back({.x = steps, .y = mean, .low = *low, .high = *high});
  }
  return points;
}

/// One small chart for each arm, all on one scale.
std::string curves(const ReportData& data) {
  std::map<std::string, std::vector<Point>> all;
  double low = 1e300, high = -1e300;
  for (const auto& arm : arms_of(data.arms))
    for (const auto& point : all[arm] = curve(data, arm)) {
      low = std::min(low, point.low.value_or(point.y));
      high = std::max(high, point.high.value_or(point.y));
    }
  std::string figures;
  for (const auto& arm : arms_of(data.arms)) {
    if (all[arm].size() < 2) continue;
    figures += figure({.title = arm,
                       .caption = "true return of finished episodes: mean and range over the runs",
                       .x_name = "steps \u2192",
                       .series = {{.name = "", .tone = "gold", .points = all[arm]}},
                       .y_low = low,
                       .y_high = high});
  }
  return figures;
}

/// How many of an arm's runs end above each return (performance profiles); only where there are several runs of each.
std::string profiles(const Rows& rows) {
  const auto arms = arms_of(rows);
  std::vector<double> all;
  for (const auto& arm : arms)
    for (const double value : values_of(rows, arm, "return")) all.push_back(value);
  if (arms.size() < 2 || all.size() < 3 * arms.size()) return "";
  std::sort(all.begin(), all.end());
  Chart chart{.title = "How many runs get how far",
              .caption = "share of an arm's runs whose return is above",
              .x_name = "return \u2192",
              .series = {},
              .y_low = 0.0,
              .y_high = 1.0,
              .as_percent = true};
  const char* const tones[] = {"gold", "learned", "judge", "plain"};
  for (std::size_t i = 0; i < arms.size() && i < std::size(tones); ++i) {
    const auto values = values_of(rows, arms[i], "return");
    if (values.empty()) continue;
    const auto shares = performance_profile(values, all);
    Series series{.name = arms[i], .tone = tones[i], .points = {{.x = all.front(), .y = 1.0}}};
    for (std::size_t k = 0; k < all.size(); ++k) series.points.push_back({.x = all[k], .y = shares[k]});
    chart.series.push_back(std::move(series));
  }
  return figure(chart);
}

}  // namespace

std::string arms_section(const ReportData& data) {
  if (data.arms.empty()) return "";
  return section("arms", "Arms",
                 "Mean over the seeds and its 95% bootstrap interval; every run when the pointer rests on a number.",
                 table(data.arms) + side_by_side(profiles(data.arms) + curves(data)));
}

}  // namespace rlhf::evaluation::detail
