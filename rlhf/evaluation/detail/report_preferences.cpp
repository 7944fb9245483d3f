// Agents that learn from comparisons: does the learnt reward stand for the true one, and did labels come as planned?
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "rlhf/evaluation/agreement.h"
#include "rlhf/evaluation/detail/html.h"
#include "rlhf/evaluation/detail/report_sections.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;
using Rows = std::vector<Json>;

constexpr std::size_t most_dots = 400, shown_openly = 2;

/// What was predicted and what was earned, in some order.
struct Returns {
  std::vector<double> predicted, earned;

  std::size_t size() const { return earned.size(); }
  double correlation(std::size_t from = 0) const {
    const auto tail = [from](const std::vector<double>& all) { return std::span(all).subspan(from); };
    return pearson(tail(predicted), tail(earned));
  }
};

template <class Objects>
Returns returns_of(const Objects& objects) {
  Returns returns;
  for (const Json& row : objects)
    if (const auto predicted = number(row, "predicted"), earned = number(row, "earned"); predicted && earned) {
      returns.predicted.push_back(*predicted);
      returns.earned.push_back(*earned);
    }
  return returns;
}

/// An arm's runs that learnt from comparisons; a run on its own is an arm without a name.
struct Arm {
  std::string name;
  std::vector<std::filesystem::path> folders;  // of its seeds
};

std::vector<Arm> arms_of(const ReportData& data) {
  std::vector<Arm> arms;
  const auto learnt_in = [](const std::filesystem::path& folder) {
    return std::filesystem::exists(folder / "returns.jsonl");
  };
  if (learnt_in(data.folder)) arms.push_back({"", {data.folder}});
  for (const auto& row : data.arms) {
    const auto name = text(row, "arm");
    const auto folder = data.folder / "arms" / fmt::format("{}-{}", name, row.value("seed", 0));
    if (!learnt_in(folder)) continue;
    auto arm = std::find_if(arms.begin(), arms.end(), [&](const Arm& each) { return each.name == name; });
    if (arm == arms.end()) arm = arms.insert(arm, {name, {}});
    arm->folders.push_back(folder);
  }
  return arms;
}

Returns clips_in(const std::filesystem::path& folder) {
  return returns_of(read_object(folder / "learnt_reward.json").value("clips", Json::array()));
}
Returns episodes_in(const std::filesystem::path& folder) { return returns_of(read_rows(folder / "returns.jsonl")); }

/// Some of them, evenly spaced in their order, as dots; those of the first half pale.
std::vector<Series> dots(const Returns& returns, const char* one) {
  const auto half = returns.size() / 2, stride = std::max<std::size_t>(1, (returns.size() + most_dots - 1) / most_dots);
  Series early{.name = "first half", .tone = "learned", .points = {}, .faint = true, .scatter = true};
  Series late{.name = "second half", .tone = "learned", .points = {}, .scatter = true};
  for (std::size_t i = 0; i < returns.size(); i += stride)
    (i < half ? early : late)
        .points.push_back({.x = returns.earned[i],
                           .y = returns.predicted[i],
                           .note = fmt::format("{} {}: earned {}, predicted {}", one, i + 1,
                                               short_number(returns.earned[i]), short_number(returns.predicted[i]))});
  return {std::move(early), std::move(late)};
}

/// ". This is the first of 5 runs, whose correlations are 0.81 to 0.97"
std::string over_runs(const Arm& arm, Returns (*read)(const std::filesystem::path&)) {
  if (arm.folders.size() < 2) return "";
  std::vector<double> correlations;
  for (const auto& folder : arm.folders) correlations.push_back(read(folder).correlation());
  const auto [low, high] = std::minmax_element(correlations.begin(), correlations.end());
  return fmt::format(". The first of {} runs, whose correlations are {} to {}", correlations.size(), fixed(*low, 2),
                     fixed(*high, 2));
}

std::string clips_chart(const Arm& arm) {
  const auto clips = clips_in(arm.folders.front());
  if (clips.size() < 3) return "";
  return figure(
      {.title = "Predicted and true return of clips",
       .caption = fmt::format("upwards what the final reward model pays for clips that nobody was asked about, from "
                              "all through training (the first half pale). Correlation {} over {} clips{}",
                              fixed(clips.correlation(), 2), grouped(double(clips.size())), over_runs(arm, clips_in)),
       .x_name = "earned in truth \u2192",
       .series = dots(clips, "clip")});
}

std::string episodes_chart(const Arm& arm) {
  const auto episodes = episodes_in(arm.folders.front());
  if (episodes.size() < 3) return "";
  return figure(
      {.title = "Predicted and true return of episodes",
       .caption = fmt::format("upwards what the agent was paid, by the reward model of the time (the first half of "
                              "training pale). Correlation {} over {} episodes, {} in the second half{}",
                              fixed(episodes.correlation(), 2), grouped(double(episodes.size())),
                              fixed(episodes.correlation(episodes.size() / 2), 2), over_runs(arm, episodes_in)),
       .x_name = "earned in truth \u2192",
       .series = dots(episodes, "episode")});
}

/// A number against the steps taken, which every row of the reward model's metrics has.
std::vector<Point> over_steps(const Rows& metrics, const char* key) {
  std::vector<Point> points;
  for (const auto& row : metrics)
    if (const auto steps = number(row, "preferences/steps"), value = number(row, key); steps && value)
      points.push_back({.x = *steps, .y = *value});
  return points;
}

std::string labels(const Rows& metrics) {
  auto wanted = over_steps(metrics, "preferences/scheduled"), given = over_steps(metrics, "preferences/labels");
  if (given.size() < 2 || wanted.size() < 2) return "";
  return figure(
      {.title = "Labels and their schedule",
       .caption = "answers that the reward model was fitted to, and those the schedule wanted by then (dashed)",
       .x_name = "steps \u2192",
       .series = {{.name = "wanted", .tone = "plain", .points = std::move(wanted), .dashed = true},
                  {.name = "there", .tone = "learned", .points = std::move(given)}},
       .y_low = 0.0});
}

std::string accuracy(const Rows& metrics) {
  Chart chart{
      .title = "Reward model while it learns",
      .caption =
          "pairs ordered as the answers order them; correlation with the true reward over each rollout\u2019s steps",
      .x_name = "steps \u2192",
      .series = {},
      .y_low = 0.5,
      .y_high = 1.0};
  const auto add = [&](const char* key, const char* name, const char* tone) {
    const auto raw = over_steps(metrics, key);
    if (raw.size() < 2) return;
    const int window = static_cast<int>(raw.size() / 12);
    chart.series.push_back({.name = name, .tone = tone, .points = window < 3 ? raw : smoothed(raw, window)});
  };
  add("reward_model/accuracy", "training", "plain");
  add("reward_model/heldout_accuracy", "held-out", "learned");
  add("reward_model/correlation", "correlation", "gold");
  return figure(chart);
}

std::string figures_of(const Arm& arm) {
  const auto& folder = arm.folders.front();
  const auto metrics = read_rows(folder / "metrics.jsonl");
  const auto calibration = read_object(folder / "learnt_reward.json").value("calibration", Json::object());
  const auto figures =
      clips_chart(arm) + episodes_chart(arm) + labels(metrics) + accuracy(metrics) + calibration_figure(calibration);
  if (figures.empty()) return "";
  return (arm.name.empty() ? "" : "<h3 class='arm'>" + escape(arm.name) + "</h3>") + side_by_side(figures);
}

}  // namespace

std::string preference_charts(const ReportData& data) {
  std::string first, more;
  std::size_t shown = 0, hidden = 0;
  for (const auto& arm : arms_of(data)) {
    const auto figures = figures_of(arm);
    if (figures.empty()) continue;
    ++(shown < shown_openly ? shown : hidden);
    (hidden == 0 ? first : more) += figures;
  }
  if (hidden > 0)
    first += fmt::format("<details><summary>{} more arm{}</summary>{}</details>", hidden, hidden == 1 ? "" : "s", more);
  return section(
      "comparisons", "Learnt from comparisons",
      "What the reward model paid while the agent learnt, beside what the agent earned in truth, which it never saw.",
      first);
}

}  // namespace rlhf::evaluation::detail
