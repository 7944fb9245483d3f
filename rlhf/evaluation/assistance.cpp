#include "rlhf/evaluation/assistance.h"

#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace rlhf::evaluation {
namespace {

using feedback::statistics::Estimate;
using feedback::statistics::wilson;

struct Share {
  std::int64_t yes = 0, all = 0;
  double seconds = 0.0;

  void add(bool counted, double time = 0.0) {
    yes += counted;
    ++all;
    seconds += time;
  }
  double value() const { return static_cast<double>(yes) / static_cast<double>(all); }
  std::optional<double> mean_seconds() const {
    if (all == 0) return std::nullopt;
    return seconds / static_cast<double>(all);
  }
};

struct BothWays {
  Share unaided, aided;
  bool help_wrong = false;
};

std::optional<Interval> uplift_of(const std::map<std::string, BothWays>& pairs, const BootstrapConfig& config) {
  std::vector<double> differences;
  std::vector<std::string> ids;
  for (const auto& [pair, both] : pairs) {
    if (both.unaided.all == 0 || both.aided.all == 0) continue;
    differences.push_back(both.aided.value() - both.unaided.value());
    ids.push_back(pair);
  }
  if (differences.empty()) return std::nullopt;
  return bootstrap_mean(differences, ids, config);
}

nlohmann::json number(const std::optional<double>& value) { return value ? nlohmann::json(*value) : nlohmann::json(); }

}  // namespace

AssistanceReport assistance_report(std::span<const AidedJudgement> judgements, const BootstrapConfig& config) {
  std::map<std::string, BothWays> pairs;
  Share unaided, aided;
  for (const auto& one : judgements) {
    (one.aided ? aided : unaided).add(one.right, one.seconds);
    auto& pair = pairs[one.pair];
    (one.aided ? pair.aided : pair.unaided).add(one.right);
    pair.help_wrong = pair.help_wrong || one.help_right == false;
  }
  AssistanceReport report{.unaided = wilson(unaided.yes, unaided.all), .aided = wilson(aided.yes, aided.all)};
  if (report.unaided && report.aided) report.difference = difference_of(*report.aided, *report.unaided);
  report.uplift = uplift_of(pairs, config);
  Share misled, alone;  // wrong judgements, where the help was wrong, with it and without it
  for (const auto& one : judgements) {
    const auto& pair = pairs[one.pair];
    if (!pair.help_wrong) continue;
    (one.aided ? misled : alone).add(!one.right);
    report.flipped += one.aided && !one.right && pair.unaided.all > 0 && pair.unaided.yes == pair.unaided.all;
  }
  report.help_wrong = misled.all;
  if (misled.all > 0 && alone.all > 0) report.over_reliance = misled.value() - alone.value();
  report.unaided_seconds = unaided.mean_seconds();
  report.aided_seconds = aided.mean_seconds();
  if (unaided.all > 0 && aided.all > 0) report.seconds_saved = *report.unaided_seconds - *report.aided_seconds;
  return report;
}

nlohmann::json to_json(const AssistanceReport& report) {
  nlohmann::json uplift;
  if (report.uplift)
    uplift = {{"value", report.uplift->mean}, {"low", report.uplift->low}, {"high", report.uplift->high}};
  return {{"unaided", feedback::statistics::to_json(report.unaided)},
          {"aided", feedback::statistics::to_json(report.aided)},
          {"difference", feedback::statistics::to_json(report.difference)},
          {"uplift", uplift},
          {"over_reliance", number(report.over_reliance)},
          {"flipped", report.flipped},
          {"help_wrong", report.help_wrong},
          {"unaided_seconds", number(report.unaided_seconds)},
          {"aided_seconds", number(report.aided_seconds)},
          {"seconds_saved", number(report.seconds_saved)}};
}

Estimate difference_of(const Estimate& first, const Estimate& second) {
  const double difference = first.value - second.value;
  return {.value = difference,
          .low = difference - std::hypot(first.value - first.low, second.high - second.value),
          .high = difference + std::hypot(first.high - first.value, second.value - second.low),
          .n = first.n + second.n};
}

double performance_gap_recovered(double unaided, double aided, double best) {
  if (!(best > unaided)) return std::numeric_limits<double>::quiet_NaN();
  return (aided - unaided) / (best - unaided);
}

}  // namespace rlhf::evaluation
