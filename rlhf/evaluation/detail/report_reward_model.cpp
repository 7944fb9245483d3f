// How good the reward model is that a policy of text was trained on.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "rlhf/evaluation/detail/html.h"
#include "rlhf/evaluation/detail/report_sections.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;

const Json* last_with(const ReportData& data, const char* key) {
  for (auto row = data.evaluations.rbegin(); row != data.evaluations.rend(); ++row) {
    if (row->contains(key) && (*row)[key].is_object()) return &(*row)[key];
  }
  return nullptr;
}

std::string accuracy_chart(const ReportData& data) {
  Chart chart{.title = "Reward model accuracy",
              .caption = "share of pairs ordered as the labels order them",
              .x_name = "updates \u2192",
              .series = {},
              .y_low = 0.5,
              .y_high = 1.0,
              .as_percent = true};
  for (const auto& [key, name, tone] : {std::tuple("reward_model/accuracy", "training", "plain"),
                                        std::tuple("reward_model/eval_accuracy", "held-out", "learned")}) {
    auto found = points(data.metrics, key);
    if (!found.empty()) chart.series.push_back({.name = name, .tone = tone, .points = std::move(found), .dots = true});
  }
  // A reward model that was fitted once has one number: a sentence says it better than a chart.
  const bool single =
      std::all_of(chart.series.begin(), chart.series.end(), [](const Series& one) { return one.points.size() == 1; });
  return single ? "" : figure(chart);
}

std::string agreement_sentence(const ReportData& data) {
  std::string html;
  if (const auto held_out = points(data.metrics, "reward_model/eval_accuracy"); !held_out.empty()) {
    html += fmt::format("On held-out labels the reward model orders <b>{}</b> of the pairs as the labeler did",
                        percent(held_out.back().y));
    if (const auto training = points(data.metrics, "reward_model/accuracy"); !training.empty())
      html += fmt::format(" ({} of those it was trained on)", percent(training.back().y));
    html += ". ";
  }
  if (const auto* agreement = last_with(data, "agreement")) {
    html += fmt::format(
        "On the policy\u2019s own completions at the end it orders <b>{}</b> of {} pairs as gold does; rank "
        "correlation {}.",
        percent(number(*agreement, "accuracy").value_or(NAN)), grouped(number(*agreement, "pairs").value_or(0)),
        fixed(number(*agreement, "spearman").value_or(NAN), 2));
  }
  return html;
}

std::string calibration_chart(const ReportData& data) {
  const auto* calibration = last_with(data, "calibration");
  return calibration == nullptr ? "" : calibration_figure(*calibration);
}

}  // namespace

std::string calibration_figure(const Json& calibration) {
  if (!calibration.contains("bins")) return "";
  Series series{.name = "observed", .tone = "learned", .points = {}, .dots = true};
  double least = 1.0;
  for (const auto& bin : calibration.at("bins")) {
    const auto predicted = number(bin, "predicted"), observed = number(bin, "observed");
    if (!predicted || !observed) continue;
    least = std::min(least, *observed);
    series.points.push_back({.x = *predicted,
                             .y = *observed,
                             .note = fmt::format("promised {}, observed {} ({} pairs)", percent(*predicted),
                                                 percent(*observed), grouped(number(bin, "pairs").value_or(0)))});
  }
  return figure({.title = "Is a margin worth what it says?",
                 .caption = fmt::format(
                     "agreement with the truth by the agreement the margin promises; dashed: calibrated. Mean gap {}",
                     percent(number(calibration, "error").value_or(0))),
                 .x_name = "promised agreement \u2192",
                 .series = {std::move(series)},
                 .y_low = std::min(least, 0.5),
                 .y_high = 1.0,
                 .diagonal = true,
                 .as_percent = true});
}

std::string reward_model_charts(const ReportData& data) {
  return section("reward-model", "Reward model", agreement_sentence(data),
                 side_by_side(accuracy_chart(data) + calibration_chart(data)));
}

}  // namespace rlhf::evaluation::detail
