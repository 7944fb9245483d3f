#include "rlhf/evaluation/assistance.h"

#include <limits>
#include <map>
#include <vector>

namespace rlhf::evaluation {
namespace {

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
};

struct BothWays {
  Share unaided, aided;
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
  }
  AssistanceReport report{.unaided = wilson(unaided.yes, unaided.all), .aided = wilson(aided.yes, aided.all)};
  report.uplift = uplift_of(pairs, config);
  Share misled, alone;  // wrong judgements, where the help was wrong, with it and without it
  for (const auto& one : judgements) {
    if (!one.aided || one.help_right != false) continue;
    ++report.help_wrong;
    const auto& without = pairs[one.pair].unaided;
    if (without.all == 0) continue;
    misled.add(!one.right);
    alone.yes += without.all - without.yes;
    alone.all += without.all;
    report.flipped += !one.right && without.yes == without.all;
  }
  if (misled.all > 0) report.over_reliance = misled.value() - alone.value();
  if (unaided.all > 0 && aided.all > 0)
    report.seconds_saved =
        unaided.seconds / static_cast<double>(unaided.all) - aided.seconds / static_cast<double>(aided.all);
  return report;
}

nlohmann::json to_json(const AssistanceReport& report) {
  nlohmann::json uplift;
  if (report.uplift)
    uplift = {{"value", report.uplift->mean}, {"low", report.uplift->low}, {"high", report.uplift->high}};
  return {{"unaided", feedback::statistics::to_json(report.unaided)},
          {"aided", feedback::statistics::to_json(report.aided)},
          {"uplift", uplift},
          {"over_reliance", number(report.over_reliance)},
          {"flipped", report.flipped},
          {"help_wrong", report.help_wrong},
          {"seconds_saved", number(report.seconds_saved)}};
}

double performance_gap_recovered(double unaided, double aided, double best) {
  if (!(best > unaided)) return std::numeric_limits<double>::quiet_NaN();
  return (aided - unaided) / (best - unaided);
}

}  // namespace rlhf::evaluation
