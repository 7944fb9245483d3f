// Judging with help: how many judgements are right, where help helps, and what agents make of the judgements.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <map>
#include <sstream>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/evaluation/detail/html.h"
#include "rlhf/evaluation/detail/interval_chart.h"
#include "rlhf/evaluation/detail/report_sections.h"
#include "rlhf/evaluation/detail/report_studies.h"
#include "rlhf/feedback/statistics/estimate.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;
using Row = std::vector<std::string>;  // the fields of one line
using feedback::statistics::wilson;

/// The lines below the head of a file of comma-separated values, which has no quotes; none where it is missing.
std::vector<Row> read_csv(const std::filesystem::path& file, std::size_t columns) {
  std::vector<Row> rows;
  if (!std::filesystem::exists(file)) return rows;
  std::istringstream lines(read_file(file));
  std::string line;
  std::getline(lines, line);
  for (int number = 2; std::getline(lines, line); ++number) {
    Row row;
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, ',');) row.push_back(field);
    if (row.size() == columns)
      rows.push_back(std::move(row));
    else if (!lines.eof())
      throw Error({.category = Category::bad_data,
                   .where = fmt::format("{}:{}", file.string(), number),
                   .what = fmt::format("this line has {} fields instead of {}", row.size(), columns),
                   .fix = "Remove the broken line; the rest can still be shown."});
  }
  return rows;
}

double number_in(const std::filesystem::path& file, const std::string& field) {
  try {
    return std::stod(field);
  } catch (const std::exception&) {
    throw Error({.category = Category::bad_data,
                 .where = file.string(),
                 .what = fmt::format("'{}' is no number", field),
                 .fix = "Remove the broken line; the rest can still be shown."});
  }
}

struct Count {
  std::int64_t pairs = 0, right = 0;
};

/// One condition's judgements of all runs, by the faults of the better output.
struct Judged {
  std::string condition;
  std::map<std::int64_t, Count> by_faults;

  Count all() const {
    Count sum;
    for (const auto& [faults, count] : by_faults) sum.pairs += count.pairs, sum.right += count.right;
    return sum;
  }
};

/// by_faults.csv of an arm's runs, put together; conditions in their order there.
std::vector<Judged> judged_in(const std::vector<std::filesystem::path>& folders) {
  std::vector<Judged> all;
  for (const auto& folder : folders) {
    const auto file = folder / "by_faults.csv";
    for (const auto& row : read_csv(file, 4)) {
      auto one = std::find_if(all.begin(), all.end(), [&](const Judged& each) { return each.condition == row[0]; });
      if (one == all.end()) one = all.insert(one, {row[0], {}});
      auto& count = one->by_faults[std::lround(number_in(file, row[1]))];
      count.pairs += std::lround(number_in(file, row[2]));
      count.right += std::lround(number_in(file, row[3]));
    }
  }
  return all;
}

std::string accuracy_figure(const std::string& subject, const std::vector<Judged>& judged) {
  IntervalChart chart{.title = subject + ": judged right",
                      .caption =
                          "share of the same held-out pairs under each condition, all runs together, with "
                          "Wilson\u2019s 95% interval",
                      .x_name = "judged right \u2192",
                      .rows = {},
                      .x_low = 0.5,
                      .x_high = 1.0,
                      .as_percent = true};
  for (const auto& one : judged) {
    const auto all = one.all();
    if (const auto share = wilson(all.right, all.pairs))
      chart.rows.push_back({.name = one.condition,
                            .value = share->value,
                            .low = share->low,
                            .high = share->high,
                            .note = fmt::format("{} of {} right", all.right, all.pairs)});
  }
  return figure(chart);
}

std::string faults_figures(const std::string& subject, const std::vector<Judged>& judged) {
  constexpr std::int64_t enough = 20;  // pairs: fewer say nothing
  std::vector<Series> series;
  for (const auto& one : judged) {
    Series line{.name = one.condition, .tone = "", .points = {}, .dots = true};
    for (const auto& [faults, count] : one.by_faults) {
      const auto share = wilson(count.right, count.pairs);
      if (!share || count.pairs < enough) continue;
      line.points.push_back({.x = static_cast<double>(faults),
                             .y = share->value,
                             .note = fmt::format("{}, {} faults: {} of {} right [{}, {}]", one.condition, faults,
                                                 count.right, count.pairs, percent(share->low), percent(share->high))});
    }
    if (line.points.size() > 1) series.push_back(std::move(line));
  }
  return panels(
      {.title = subject + ": right by faults",
       .caption = fmt::format("share judged right, by the faults of the better output; where {} pairs or more "
                              "have so many; intervals when the pointer rests on a dot",
                              enough),
       .x_name = "faults of the better output \u2192",
       .series = {},
       .y_low = 0.5,
       .y_high = 1.0,
       .as_percent = true,
       .counts = true},
      series);
}

/// The frozen.csv of an arm's runs, [rollouts] -> what each run had there.
struct Frozen {
  std::map<double, std::vector<double>> truth, gain;  // gain: of the predicted score, since the start
};

Frozen frozen_in(const std::vector<std::filesystem::path>& folders) {
  Frozen frozen;
  for (const auto& folder : folders) {
    const auto file = folder / "frozen.csv";
    std::optional<double> start;
    for (const auto& row : read_csv(file, 3)) {
      const double rollouts = number_in(file, row[0]), predicted = number_in(file, row[1]);
      if (!start) start = predicted;
      frozen.truth[rollouts].push_back(number_in(file, row[2]));
      frozen.gain[rollouts].push_back(predicted - *start);
    }
  }
  return frozen;
}

Series mean_line(const std::string& name, const std::map<double, std::vector<double>>& values) {
  Series line{.name = name, .tone = "", .points = {}};
  for (const auto& [x, runs] : values) line.points.push_back(over_runs(x, runs));
  return line;
}

std::string frozen_figures(const ReportData& data, const Study& study) {
  std::vector<Series> truth, gain;
  for (const auto& arm : study.arms) {
    const auto frozen = frozen_in(folders_of(data, arm));
    if (frozen.truth.size() < 2) continue;
    truth.push_back(mean_line(study.shown(arm), frozen.truth));
    gain.push_back(mean_line(study.shown(arm), frozen.gain));
  }
  const auto chart = [&](const char* what, const char* caption) {
    return Chart{.title = study.title + what,
                 .caption = caption,
                 .x_name = "rollouts on the frozen reward model \u2192",
                 .series = {}};
  };
  return panels(chart(": true score, no new judgements",
                      "of agents that are trained on by a reward model that no longer changes: mean over the runs and "
                      "its 95% interval"),
                truth) +
         panels(chart(": predicted score, no new judgements",
                      "what that reward model says of the same agents, above what it said when it was frozen"),
                gain);
}

std::string best_of_n_figures(const ReportData& data, const Study& study) {
  std::vector<Series> series;
  for (const auto& arm : study.arms) {
    std::map<double, std::vector<double>> truth;
    for (int doubled = 0; doubled <= 16; ++doubled) {
      const auto values = values_of(data.arms, arm, fmt::format("best_of_{}_truth", 1 << doubled));
      if (!values.empty()) truth[doubled] = values;
    }
    if (truth.size() > 1) series.push_back(mean_line(study.shown(arm), truth));
  }
  return panels({.title = study.title + ": best of N",
                 .caption = "true score of the output that the final reward model likes best of N of the start "
                            "policy: mean over the runs and its 95% interval; N = 1, 2, 4, 8, ...",
                 .x_name = "N was doubled so many times \u2192",
                 .series = {},
                 .counts = true},
                series);
}

/// depth_<levels>_error_<percent>_<members>: a curve over the levels for each error, single and ensemble apart.
std::string depth_figures(const ReportData& data) {
  std::map<std::string, std::map<int, std::map<double, std::vector<double>>>> found;
  for (const auto& row : data.arms)
    for (const auto& [key, value] : row.items()) {
      int levels = 0, error = 0;
      char members[16] = "";
      if (value.is_number() && std::sscanf(key.c_str(), "depth_%d_error_%d_%15[a-z]", &levels, &error, members) == 3)
        found[members][error][levels].push_back(value.get<double>());
    }
  double low = 1, high = 0;
  for (const auto& [members, errors] : found)
    for (const auto& [error, levels] : errors)
      for (const auto& [level, values] : levels) {
        const auto point = over_runs(level, values);
        low = std::min(low, point.low.value_or(point.y)), high = std::max(high, point.high.value_or(point.y));
      }
  std::string figures;
  for (const char* members : {"single", "ensemble"}) {
    std::vector<Series> series;
    for (const auto& [error, levels] : found[members])
      series.push_back(mean_line(fmt::format("{}% errors", error), levels));
    figures += panels({.title = fmt::format("Depth, {}", std::string(members) == "single" ? "one helper a level"
                                                                                          : "several helpers a level"),
                       .caption = "share of held-out pairs judged right, by how many levels of helpers stand between "
                                  "the person and the cells and how often each errs: mean over the runs and its 95% "
                                  "interval",
                       .x_name = "levels \u2192",
                       .series = {},
                       .y_low = low,
                       .y_high = high,
                       .as_percent = true,
                       .counts = true},
                      series);
  }
  return figures;
}

/// "inspector_heldout": "Inspector"
std::string subject_of(const std::string& arm) {
  auto subject = arm.substr(0, arm.find('_'));
  if (!subject.empty()) subject[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(subject[0])));
  return subject;
}

}  // namespace

std::string help_section(const ReportData& data) {
  std::string figures;
  std::vector<std::string> arms;
  for (const auto& row : data.arms)
    if (const auto arm = text(row, "arm"); std::find(arms.begin(), arms.end(), arm) == arms.end()) arms.push_back(arm);
  for (const auto& arm : arms) {
    const auto judged = judged_in(folders_of(data, arm));
    figures += accuracy_figure(subject_of(arm), judged) + faults_figures(subject_of(arm), judged);
  }
  for (const auto& study : studies_of(data.arms))
    figures += frozen_figures(data, study) + best_of_n_figures(data, study);
  figures += depth_figures(data);
  return section("help", "Judged with help",
                 "What help does to the judgements, and what agents make of a reward model that was learnt from them.",
                 side_by_side(figures));
}

}  // namespace rlhf::evaluation::detail
