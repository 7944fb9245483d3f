#include "rlhf/feedback/statistics/habits.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace rlhf::feedback::statistics {

void Tally::add(bool yes) {
  ++count_, yes_ += yes;
  last_.push_back(yes);
  if (last_.size() > window_) last_.pop_front();
}

std::optional<Estimate> Tally::recent() const {
  if (last_.size() < window_) return std::nullopt;
  return wilson(std::count(last_.begin(), last_.end(), true), static_cast<std::int64_t>(last_.size()));
}

double fair_coin(std::int64_t yes, std::int64_t count) {
  if (count == 0) return 1.0;
  const auto fewer = std::min(yes, count - yes);
  if (2 * fewer >= count - 1) return 1.0;
  const double n = static_cast<double>(count);
  double tail = 0.0;
  for (std::int64_t k = fewer; k >= 0; --k) {
    const double i = static_cast<double>(k);
    const double term = std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) - n * std::log(2.0));
    tail += term;
    if (term < 1e-16 * tail) break;
  }
  return std::min(1.0, 2.0 * tail);
}

bool picks_by_place(const Tally& left, const PositionLimits& limits) {
  if (fair_coin(left.yes(), left.count()) < limits.chance) return true;
  const auto recent = left.recent();
  return recent && (recent->value < limits.low || recent->value > limits.high);
}

GoldVerdict judge_gold(const Tally& right, const GoldLimits& limits) {
  if (right.count() < limits.least) return GoldVerdict::good;
  const double accuracy = right.recent().value_or(*right.share()).value;
  if (accuracy < limits.revoke) return GoldVerdict::revoke;
  if (accuracy < limits.pause) return GoldVerdict::pause;
  return accuracy < limits.warn ? GoldVerdict::warn : GoldVerdict::good;
}

std::optional<double> median(std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::vector<Fatigue> fatigue_curve(std::span<const Timed> answers, double bucket_minutes, double pause_minutes) {
  struct Bucket {
    std::vector<double> seconds;
    std::int64_t answers = 0, judged = 0, right = 0;
  };
  std::map<int, Bucket> buckets;
  double began = 0.0, before = -INFINITY;
  for (const auto& each : answers) {
    if (each.at - before > 60.0 * pause_minutes) began = each.at;
    before = each.at;
    auto& bucket = buckets[static_cast<int>((each.at - began) / (60.0 * bucket_minutes))];
    ++bucket.answers;
    if (each.active_seconds > 0.0) bucket.seconds.push_back(each.active_seconds);
    if (each.right) ++bucket.judged, bucket.right += *each.right;
  }
  std::vector<Fatigue> curve;
  for (auto& [place, bucket] : buckets) {
    curve.push_back({.minutes = place * bucket_minutes,
                     .seconds = median(bucket.seconds),
                     .right = wilson(bucket.right, bucket.judged),
                     .answers = bucket.answers});
  }
  return curve;
}

double plausible_seconds(std::int64_t words) { return static_cast<double>(words) / 30.0; }

Cost cost_estimate(std::int64_t items, double judgements, double seconds, double pay_per_hour) {
  const double hours = static_cast<double>(items) * judgements * seconds / 3600.0;
  return {.hours = hours, .money = hours * pay_per_hour};
}

}  // namespace rlhf::feedback::statistics
