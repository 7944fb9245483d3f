#include "rlhf/feedback/statistics/estimate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rlhf::feedback::statistics {

nlohmann::json to_json(const std::optional<Estimate>& estimate) {
  if (!estimate) return nullptr;
  return {{"value", estimate->value}, {"low", estimate->low}, {"high", estimate->high}, {"n", estimate->n}};
}

double normal_quantile(double p) {
  // Bisection brackets the point, Newton's steps finish it: this is called once an estimate, and needs no table.
  const auto below = [](double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); };
  double low = -40.0, high = 40.0;
  for (int i = 0; i < 40; ++i) (below((low + high) / 2) < p ? low : high) = (low + high) / 2;
  double z = (low + high) / 2;
  for (int i = 0; i < 3; ++i) {
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
    if (density > 0.0) z -= (below(z) - p) / density;
  }
  return z;
}

std::optional<Estimate> wilson(std::int64_t successes, std::int64_t trials, double confidence) {
  if (trials <= 0) return std::nullopt;
  const double n = static_cast<double>(trials), share = static_cast<double>(successes) / n;
  const double z = confidence == 0.95 ? 1.959963984540054 : normal_quantile(0.5 + confidence / 2);
  const double shrink = 1.0 / (1.0 + z * z / n);
  const double centre = shrink * (share + z * z / (2 * n));
  const double half = shrink * z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return Estimate{.value = share,
                  .low = std::max(0.0, centre - half),
                  .high = std::min(1.0, centre + half),
                  .n = trials};
}

}  // namespace rlhf::feedback::statistics
