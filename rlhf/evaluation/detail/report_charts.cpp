#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "rlhf/evaluation/detail/html.h"
#include "rlhf/evaluation/detail/report_sections.h"

namespace rlhf::evaluation::detail {
namespace {

/// The raw values of every step, pale, with their running mean on top.
std::vector<Series> with_mean(std::string name, std::string tone, const std::vector<Point>& raw) {
  const int window = static_cast<int>(raw.size() / 12);
  if (window < 3) return {{.name = std::move(name), .tone = std::move(tone), .points = raw}};
  return {{.name = name, .tone = tone, .points = raw, .faint = true},
          {.name = std::move(name), .tone = std::move(tone), .points = smoothed(raw, window)}};
}

void add_metric(std::vector<Series>& series, const ReportData& data, const char* key, const char* name,
                const char* tone) {
  const auto raw = points(data.metrics, key);
  if (raw.size() < 2) return;
  for (auto& one : with_mean(name, tone, raw)) series.push_back(std::move(one));
}

/// A setting by the end of its path, as a number.
std::optional<double> setting(const ReportData& data, std::string_view group, std::string_view name) {
  for (const auto& one : data.settings) {
    if (one.name != name || !("." + one.group).ends_with("." + std::string(group))) continue;
    try {
      return std::stod(one.value);
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<double> kl_target(const ReportData& data) {
  if (const auto logged = points(data.metrics, "objective/kl_target"); !logged.empty()) return logged.back().y;
  for (const auto& one : data.settings) {
    if (one.name == "control" && one.group.ends_with("kl") && one.value.find("adaptive") == std::string::npos)
      return std::nullopt;
  }
  return setting(data, "kl", "target");
}

std::string kl_chart(const ReportData& data) {
  Chart chart{.title = "Distance from the start",
              .caption = "KL, nats a completion, in training",
              .x_name = "updates \u2192",
              .series = {},
              .y_low = 0.0};
  add_metric(chart.series, data, "objective/kl", "training", "plain");
  if (auto evaluated = points(data.evaluations, "kl"); evaluated.size() > 1) {
    chart.caption += "; dots: on held-out prompts";
    chart.series.push_back(
        {.name = "held-out", .tone = "plain", .points = std::move(evaluated), .dots = true, .dashed = true});
  }
  if (const auto target = kl_target(data)) {
    chart.bands.push_back({.low = 0.75 * *target,
                           .high = 1.25 * *target,
                           .label = fmt::format("target {} \u00b1 25%", short_number(*target))});
  }
  return figure(chart);
}

std::string scores_chart(const ReportData& data) {
  Chart chart{.title = "Scores on held-out prompts",
              .caption = "each in its own units; gold with its 95% interval",
              .x_name = "updates \u2192",
              .series = {}};
  const auto add = [&](const char* key, const char* name, const char* tone, const char* low = nullptr,
                       const char* high = nullptr) {
    auto found = points(data.evaluations, key, low, high);
    if (found.size() > 1)
      chart.series.push_back({.name = name, .tone = tone, .points = std::move(found), .dots = true});
  };
  add("learned", "learned", "learned");
  add("judge", "judge", "judge");
  add("gold", "gold", "gold", "gold_low", "gold_high");
  return figure(chart);
}

/// The change of a score since the start as a share of its largest change, against the square root of KL.
std::vector<Point> frontier(const ReportData& data, const char* key) {
  std::vector<Point> result;
  for (const auto& row : data.evaluations) {
    const auto kl = number(row, "kl"), value = number(row, key);
    if (!kl || !value) continue;
    result.push_back({.x = std::sqrt(std::max(*kl, 0.0)),
                      .y = *value,
                      .note = fmt::format("step {:.0f}: KL {}, {} {}", number(row, "step").value_or(0), fixed(*kl, 1),
                                          key, fixed(*value, 2))});
  }
  if (result.size() < 2) return {};
  const double start = result.front().y;
  double largest = 0.0;
  for (const auto& point : result) largest = std::max(largest, std::abs(point.y - start));
  for (auto& point : result) point.y = largest > 0.0 ? (point.y - start) / largest : 0.0;
  return result;
}

std::string frontier_chart(const ReportData& data) {
  Chart chart{.title = "What the distance bought",
              .caption =
                  "change since the start, as a share of each score\u2019s largest; where gold bends down and learned "
                  "does not, the reward is being gamed",
              .x_name = "square root of KL \u2192",
              .series = {},
              .as_percent = true};
  for (const char* key : {"learned", "judge", "gold"}) {
    if (auto found = frontier(data, key); !found.empty())
      chart.series.push_back({.name = key, .tone = key, .points = std::move(found), .dots = true});
  }
  return figure(chart);
}

std::string evaluated(const ReportData& data, const char* key, const char* title, const char* caption,
                      const char* label) {
  auto found = points(data.evaluations, key);
  if (found.size() < 2) return "";
  return figure({.title = title,
                 .caption = caption,
                 .x_name = "updates \u2192",
                 .series = {{.name = label, .tone = "plain", .points = std::move(found), .dots = true}},
                 .y_low = 0.0});
}

std::string variety_chart(const ReportData& data) {
  Chart chart{
      .title = "Variety",
      .caption = "share of word pairs that differ, over all completions; share of completions that equal another",
      .x_name = "updates \u2192",
      .series = {},
      .y_low = 0.0,
      .y_high = 1.0};
  for (const auto& [key, name, dashed] :
       {std::tuple("distinct_2", "distinct pairs", false), std::tuple("duplicates", "duplicates", true)}) {
    if (auto found = points(data.evaluations, key); found.size() > 1) {
      chart.series.push_back(
          {.name = name, .tone = "plain", .points = std::move(found), .dots = true, .dashed = dashed});
    }
  }
  return figure(chart);
}

std::string metric_chart(const ReportData& data, const char* title, const char* caption,
                         std::initializer_list<std::array<const char*, 3>> metrics, bool from_zero,
                         bool as_percent = false) {
  Chart chart{.title = title, .caption = caption, .x_name = "updates \u2192", .series = {}, .as_percent = as_percent};
  for (const auto& [key, name, tone] : metrics) add_metric(chart.series, data, key, name, tone);
  if (from_zero) chart.y_low = 0.0;
  return figure(chart);
}

}  // namespace

std::string score_charts(const ReportData& data) {
  return section(
      "scores", "Scores",
      "Gold is what we want, learned is what the policy was trained on, and the second judge was used for neither.",
      side_by_side(scores_chart(data) + frontier_chart(data)));
}

std::string behaviour_charts(const ReportData& data) {
  const auto entropy =
      metric_chart(data, "Entropy", "nats a completion, in training", {{"objective/entropy", "", "plain"}}, true);
  return section(
      "behaviour", "Behaviour", "",
      side_by_side(
          kl_chart(data) + variety_chart(data) +
          evaluated(data, "perplexity", "Perplexity under the start model",
                    "how likely the model we began with finds the completions, per token", "") +
          (entropy.empty() ? evaluated(data, "entropy", "Entropy", "nats a token, on held-out prompts", "") : entropy) +
          metric_chart(data, "Length", "tokens a completion, in training", {{"completions/mean_length", "", "plain"}},
                       true) +
          metric_chart(data, "Reward in training", "learned score of each batch", {{"objective/scores", "", "learned"}},
                       false)));
}

std::string training_charts(const ReportData& data) {
  return section(
      "training", "Optimisation", "",
      side_by_side(
          metric_chart(data, "Policy loss", "clipped surrogate; near zero is normal, its size says little",
                       {{"loss/policy_avg", "", "plain"}}, false) +
          metric_chart(data, "Value loss", "error of the critic", {{"loss/value_avg", "", "plain"}}, true) +
          metric_chart(data, "Clipped share", "tokens whose ratio left the trust region",
                       {{"policy/clipfrac_avg", "", "plain"}}, true, true) +
          metric_chart(data, "KL coefficient", "price of a nat of distance", {{"kl/coefficient", "", "plain"}}, true)));
}

}  // namespace rlhf::evaluation::detail
