#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

namespace rlhf::feedback::statistics {

/// A number measured on answers, with its 95 % interval.
struct Estimate {
  double value = 0.0;
  double low = 0.0, high = 0.0;
  std::int64_t n = 0;  // what was counted: answers, pairs of answers, or questions, as the function says
};

/// {"value", "low", "high", "n"}; null for what cannot be said.
nlohmann::json to_json(const std::optional<Estimate>& estimate);

/// Share of successes with the score interval of Wilson (1927), which stays inside 0..1 and is honest for few trials.
/// Nothing when there was no trial.
std::optional<Estimate> wilson(std::int64_t successes, std::int64_t trials, double confidence = 0.95);

/// The point below which a standard normal lies with probability p, 0 < p < 1 (relative error below 1e-9).
double normal_quantile(double p);

}  // namespace rlhf::feedback::statistics
