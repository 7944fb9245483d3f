// How the arms of a study learnt: score against teaching time, or against steps.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "rlhf/evaluation/detail/report_studies.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_points = 90;

struct Curve {
  std::vector<Point> points;
  std::size_t runs = 0;
  bool minutes = false;  // else steps
  std::string score;     // what the looks saw; empty: returns of finished episodes
};

/// Runs by what stands on the x axis.
using Values = std::map<double, std::vector<double>>;

/// Mean and interval where every run has a value; some of them, evenly spaced, where they are many.
std::vector<Point> summary(const Values& values, std::size_t runs) {
  std::vector<const Values::value_type*> whole;
  for (const auto& each : values)
    if (each.second.size() >= runs) whole.push_back(&each);
  const auto stride = (whole.size() + most_points - 1) / most_points;
  std::vector<Point> points;
  for (std::size_t i = 0; i < whole.size(); ++i)
    if (i % stride == 0 || i + 1 == whole.size()) points.push_back(over_runs(whole[i]->first, whole[i]->second));
  return points;
}

/// Steps a second, from the head of a session's log; 0 where there is none.
double rate_of(const std::filesystem::path& folder) {
  std::ifstream log(folder / "session.jsonl");
  std::string head;
  std::getline(log, head);
  const auto session = Json::parse(head, nullptr, false);
  if (!session.is_object()) return 0;
  return session.value("settings", Json::object()).value("rate", 0.0);
}

/// What a look saw: the number that is neither a time nor a count of presses.
std::string score_of(const Json& look) {
  for (const auto& [key, value] : look.items())
    if (value.is_number() && key != "seconds" && key != "steps" && key != "signals") return key;
  return "";
}

/// What somebody saw who looked now and then during a lesson.
Curve of_lessons(const std::vector<std::filesystem::path>& folders) {
  Curve curve;
  Values values;
  for (const auto& folder : folders) {
    const auto looks = read_rows(folder / "curve.jsonl");
    if (looks.empty()) continue;
    ++curve.runs;
    const double rate = rate_of(folder);
    curve.score = score_of(looks.front());
    for (const auto& look : looks) {
      const auto seen = number(look, curve.score.c_str()), seconds = number(look, "seconds"),
                 steps = number(look, "steps");
      if (!seen || (!seconds && !steps)) continue;
      curve.minutes = seconds || rate > 0;
      values[seconds ? *seconds / 60 : rate > 0 ? *steps / rate / 60 : *steps].push_back(*seen);
    }
  }
  curve.points = summary(values, curve.runs);
  return curve;
}

/// The mean return of the latest finished episodes.
Curve of_episodes(const std::vector<std::filesystem::path>& folders) {
  Curve curve{.runs = folders.size()};
  Values values;
  for (const auto& folder : folders)
    for (const auto& row : read_rows(folder / "metrics.jsonl"))
      if (const auto steps = number(row, "rollout/steps"), earned = number(row, "rollout/ep_rew_mean"); steps && earned)
        values[*steps].push_back(*earned);
  curve.points = summary(values, curve.runs);
  return curve;
}

std::string caption_of(const Curve& curve, const std::string& first) {
  auto text = curve.score.empty() ? std::string("true return of finished episodes")
                                  : curve.score + " when looked at during the lesson, unnoticed";
  if (curve.runs > 1) text += fmt::format(": mean over {} runs and its 95% interval", curve.runs);
  return text + (first.empty() ? "" : "; dashed: " + first);
}

}  // namespace

std::string learning_curves(const ReportData& data, const Study& study) {
  std::map<std::string, Curve> curves;
  double low = 1e300, high = -1e300;
  for (const auto& arm : study.arms) {
    auto curve = of_lessons(folders_of(data, arm));
    if (curve.points.size() < 2) curve = of_episodes(folders_of(data, arm));
    for (const auto& point : curve.points) {
      low = std::min(low, point.low.value_or(point.y));
      high = std::max(high, point.high.value_or(point.y));
    }
    curves[arm] = std::move(curve);
  }
  std::string figures;
  const auto& first = curves[study.arms.front()];
  for (const auto& arm : study.arms) {
    const auto& curve = curves[arm];
    if (curve.points.size() < 2) continue;
    const bool compared =
        &curve != &first && first.points.size() > 1 && first.minutes == curve.minutes && first.score == curve.score;
    Chart chart{.title = study.shown(arm),
                .caption = caption_of(curve, compared ? study.shown(study.arms.front()) : ""),
                .x_name = curve.minutes ? "minutes of teaching \u2192" : "steps \u2192",
                .series = {},
                .y_low = low,
                .y_high = high};
    if (compared) {
      chart.series.push_back({.name = "", .tone = "plain", .points = first.points, .dashed = true, .faint = true});
      for (auto& point : chart.series.back().points) point.low = point.high = std::nullopt;
    }
    chart.series.push_back({.name = "", .tone = "gold", .points = curve.points});
    figures += figure(chart);
  }
  return figures;
}

}  // namespace rlhf::evaluation::detail
