// A study's arms: what they came to over their seeds, how they learnt, and how many runs got how far.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "rlhf/evaluation/detail/html.h"
#include "rlhf/evaluation/detail/interval_chart.h"
#include "rlhf/evaluation/detail/report_sections.h"
#include "rlhf/evaluation/detail/report_studies.h"
#include "rlhf/evaluation/over_seeds.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;
using Rows = std::vector<Json>;

constexpr std::size_t shown_openly = 8;  // columns of the table of every number

/// Arms in the order of their first run.
std::vector<std::string> arms_of(const Rows& rows) {
  std::vector<std::string> arms;
  for (const auto& row : rows)
    if (const auto arm = text(row, "arm"); std::find(arms.begin(), arms.end(), arm) == arms.end()) arms.push_back(arm);
  return arms;
}

std::vector<std::string> numbers_of(const Rows& rows) {
  std::set<std::string> names;
  for (const auto& row : rows)
    for (const auto& [key, value] : row.items())
      if (value.is_number() && key != "seed") names.insert(key);
  return {names.begin(), names.end()};
}

std::string each_of(const std::vector<double>& values) {
  std::string each;
  for (const double value : values) each += (each.empty() ? "" : ", ") + short_number(value);
  return each;
}

std::string with_interval(const Interval& one) {
  return fmt::format("{} <small>[{}, {}]</small>", short_number(one.mean), short_number(one.low),
                     short_number(one.high));
}

/// Mean, interval and, where the pointer rests, every run.
std::string cell(const std::vector<double>& values) {
  if (values.empty()) return "<td></td>";
  if (values.size() == 1) return fmt::format("<td>{}</td>", short_number(values[0]));
  return fmt::format("<td title='runs: {}'>{}</td>", each_of(values), with_interval(mean_over_runs(values)));
}

/// Every number of every arm.
std::string whole_table(const Rows& rows) {
  const auto names = numbers_of(rows);
  std::string head = "<th scope='col'>Arm</th><th scope='col'>Runs</th>", body;
  for (const auto& name : names) head += fmt::format("<th scope='col'>{}</th>", escape(name));
  for (const auto& arm : arms_of(rows)) {
    const auto runs = std::count_if(rows.begin(), rows.end(), [&](const Json& row) { return text(row, "arm") == arm; });
    body += fmt::format("<tr><th scope='row'>{}</th><td>{}</td>", escape(arm), runs);
    for (const auto& name : names) body += cell(values_of(rows, arm, name));
    body += "</tr>";
  }
  const auto table = wide_table("Every number of every arm", head, body);
  return fmt::format("<details{}><summary>Every number: {} of each of {} arms</summary>{}</details>",
                     names.size() <= shown_openly ? " open" : "", names.size(), arms_of(rows).size(), table);
}

/// One arm's line of the score table; `first` are the runs of the arm that the others are compared with.
std::string score_row(const std::string& name, const std::vector<double>& values, const std::vector<double>& first) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const auto several = values.size() > 1;
  return fmt::format("<tr><th scope='row'>{}</th><td>{}</td><td>{}</td>{}<td>{} to {}</td><td>{}</td></tr>",
                     escape(name), values.size(),
                     several ? with_interval(interquartile_mean_over_runs(values)) : short_number(values[0]),
                     cell(values), short_number(*low), short_number(*high),
                     first.empty() ? "" : percent(probability_of_improvement(values, first)));
}

/// The score of a study's arms: interquartile mean, mean, range, and the chance to beat the first arm.
std::string score_table(const Rows& rows, const Study& study) {
  std::string body;
  const auto first = values_of(rows, study.arms.front(), study.score);
  for (const auto& arm : study.arms)
    body += score_row(study.shown(arm), values_of(rows, arm, study.score),
                      arm == study.arms.front() ? std::vector<double>{} : first);
  const auto head = fmt::format(
      "<th scope='col'>{}</th><th scope='col'>Runs</th><th scope='col'>Interquartile mean</th>"
      "<th scope='col'>Mean</th><th scope='col'>Runs from, to</th><th scope='col'>Beats {}</th>",
      escape(study.score), escape(study.shown(study.arms.front())));
  return wide_table("Scores of the arms", head, body);
}

/// The interquartile mean of every arm, its interval and its runs.
std::string score_figure(const Rows& rows, const Study& study) {
  IntervalChart chart{.title = "Interquartile mean of the runs",
                      .caption = study.unit +
                                 ": mean of the middle half of an arm\u2019s runs, its 95% bootstrap interval, and "
                                 "every run as a pale dot",
                      .x_name = study.score + " \u2192",
                      .rows = {}};
  for (const auto& arm : study.arms) {
    const auto values = values_of(rows, arm, study.score);
    IntervalRow row{.name = study.shown(arm), .value = values[0], .note = "runs: " + each_of(values)};
    if (values.size() > 1) {
      const auto middle = interquartile_mean_over_runs(values);
      row.value = middle.mean, row.low = middle.low, row.high = middle.high, row.runs = values;
    }
    chart.rows.push_back(std::move(row));
  }
  return figure(chart);
}

/// The share of an arm's runs above each of `thresholds` (sorted), as the steps that it is.
Series profile_of(const std::string& name, const std::vector<double>& values, const std::vector<double>& thresholds) {
  const auto shares = performance_profile(values, thresholds);
  Series series{.name = name,
                .tone = "",
                .points = {{.x = thresholds.front(), .y = 1.0}},
                .end = short_number(interquartile_mean(values))};
  for (std::size_t k = 0; k < thresholds.size(); ++k) {
    if (shares[k] != series.points.back().y) series.points.push_back({.x = thresholds[k], .y = series.points.back().y});
    series.points.push_back({.x = thresholds[k], .y = shares[k]});
  }
  return series;
}

/// How many of an arm's runs end above each score (performance profiles), of every arm with three runs or more.
std::string profiles(const Rows& rows, const Study& study) {
  std::vector<double> all;
  std::vector<std::string> arms;
  for (const auto& arm : study.arms) {
    const auto values = values_of(rows, arm, study.score);
    if (values.size() < 3) continue;
    arms.push_back(arm);
    all.insert(all.end(), values.begin(), values.end());
  }
  if (arms.size() < 2) return "";
  std::sort(all.begin(), all.end());
  std::vector<Series> series;
  for (const auto& arm : arms) series.push_back(profile_of(study.shown(arm), values_of(rows, arm, study.score), all));
  return panels(
      {.title = "How many runs get how far",
       .caption = "share of an arm\u2019s runs whose " + study.score + " is above; beside it the interquartile mean",
       .x_name = study.score + " \u2192",
       .series = {},
       .y_low = 0.0,
       .y_high = 1.0,
       .as_percent = true},
      series);
}

std::string study_part(const ReportData& data, const Study& study) {
  const auto heading = study.title.empty() ? "" : "<h3 class='arm'>" + escape(study.title) + "</h3>";
  return heading + score_table(data.arms, study) +
         side_by_side(score_figure(data.arms, study) + profiles(data.arms, study) + learning_curves(data, study));
}

/// Numbers of results.json with an interval that are no arm's: what a study found that has no runs of its own.
std::string other_results(const ReportData& data) {
  IntervalChart chart{
      .title = "Other results", .caption = "from results.json, with their 95% intervals", .x_name = "", .rows = {}};
  const auto arms = arms_of(data.arms);
  const auto results = read_object(data.folder / "results.json");
  for (const auto& [name, value] : results.items()) {
    const auto low = number(results, (name + "_low").c_str()), high = number(results, (name + "_high").c_str());
    const bool of_an_arm =
        std::any_of(arms.begin(), arms.end(), [&](const std::string& arm) { return name.starts_with(arm); });
    if (value.is_number() && low && high && !of_an_arm)
      chart.rows.push_back({.name = name, .value = value, .low = low, .high = high});
  }
  return figure(chart);
}

}  // namespace

std::string results_section(const ReportData& data) {
  if (!data.evaluations.empty()) return "";  // a text run's numbers are at the top
  return section("results", "Results beside the arms", "", side_by_side(other_results(data)));
}

std::string arms_section(const ReportData& data) {
  if (data.arms.empty()) return "";
  std::string parts;
  for (const auto& study : studies_of(data.arms)) parts += study_part(data, study);
  return section("arms", "Arms",
                 "What each arm came to over its seeds, with 95% bootstrap intervals over the runs; every run when the "
                 "pointer rests on a number.",
                 parts + whole_table(data.arms));
}

}  // namespace rlhf::evaluation::detail
