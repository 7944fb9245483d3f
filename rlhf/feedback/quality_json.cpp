// The reports as JSON, as docs/http_api.md promises them.
#include "rlhf/feedback/quality.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback {
namespace {

using nlohmann::json;
using statistics::GoldVerdict;
using statistics::Level;

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

std::string_view standing_name(Standing standing) {
  return standing == Standing::active ? "active" : standing == Standing::paused ? "paused" : "revoked";
}

std::string_view verdict_name(GoldVerdict verdict) {
  return verdict == GoldVerdict::good   ? "good"
         : verdict == GoldVerdict::warn ? "warn"
         : verdict == GoldVerdict::pause ? "pause"
                                         : "revoke";
}

/// What papers report, to hold the own numbers against.
json published() {
  return {{"InstructGPT, among labelers (Ouyang et al. 2022)", 0.726},
          {"InstructGPT, held-out labelers (Ouyang et al. 2022)", 0.773},
          {"summaries, among labelers (Stiennon et al. 2020)", 0.73},
          {"summaries, with researchers (Stiennon et al. 2020)", 0.77},
          {"HH, workers with authors (Bai et al. 2022)", 0.63}};
}

}  // namespace

json to_json(const AgreementReport& report) {
  auto pairs = json::array(), aspects = json::array(), times = json::array();
  for (const auto& each : report.cohen) pairs.push_back({{"a", each.a}, {"b", each.b}, {"kappa", each.kappa}, {"n", each.n}});
  for (const auto& each : report.aspects) {
    aspects.push_back({{"form", each.form}, {"part", each.part}, {"name", each.name},
                       {"level", each.level == Level::nominal ? "nominal" : "interval"},
                       {"krippendorff", to_json(each.alpha)}});
  }
  for (const auto& each : report.over_time) times.push_back({{"at", each.at}, {"raw", each.raw}, {"n", each.n}});
  return {{"raw", to_json(report.raw)},
          {"cohen", pairs},
          {"fleiss", to_json(report.fleiss)},
          {"krippendorff", to_json(report.krippendorff)},
          {"strength", to_json(report.strength)},
          {"kendall", to_json(report.kendall)},
          {"aspects", aspects},
          {"with_gold", to_json(report.with_gold)},
          {"with_model", to_json(report.with_model)},
          {"with_reward_model", to_json(report.with_reward_model)},
          {"noise", or_null(report.noise)},
          {"reference", published()},
          {"over_time", times}};
}

json to_json(const AnnotatorReport& report) {
  auto fatigue = json::array();
  for (const auto& each : report.fatigue) {
    fatigue.push_back({{"minutes", each.minutes}, {"seconds", or_null(each.seconds)}, {"right", to_json(each.right)},
                       {"answers", each.answers}});
  }
  return {{"name", report.record.name},
          {"source", source_name(report.record.source)},
          {"standing", standing_name(report.record.standing)},
          {"quota", report.record.quota},
          {"answers", report.answers},
          {"skips", report.skips},
          {"median_seconds", or_null(report.median_seconds)},
          {"agreement", to_json(report.agreement)},
          {"gold_accuracy", to_json(report.gold_accuracy)},
          {"gold_verdict", verdict_name(report.gold_verdict)},
          {"reliability", or_null(report.reliability)},
          {"slope", or_null(report.slope)},
          {"side", or_null(report.side)},
          {"left_share", to_json(report.left_share)},
          {"longer_share", to_json(report.longer_share)},
          {"consistency", to_json(report.consistency)},
          {"too_fast", to_json(report.too_fast)},
          {"fatigue", fatigue},
          {"warnings", report.warnings},
          {"last_at", report.last_at},
          {"passed", report.record.passed}};
}

}  // namespace rlhf::feedback
