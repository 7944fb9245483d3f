#include "rlhf/feedback/statistics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "rlhf/core/seed.h"

namespace rlhf::feedback::statistics {
namespace {

/// A draw from Gamma(shape, 1), shape >= 1 (Marsaglia and Tsang 2000).
double gamma(Random& random, double shape) {
  const double d = shape - 1.0 / 3.0, c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = random.normal(), v = std::pow(1.0 + c * x, 3);
    if (v > 0.0 && std::log(random.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double sum(std::span<const double> values) { return std::accumulate(values.begin(), values.end(), 0.0); }

double quantile(const std::vector<double>& sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::optional<Estimate> bootstrap(std::span<const double> counts, const WeightedStatistic& statistic,
                                  const BootstrapOptions& options) {
  const auto value = statistic(counts);
  if (!value) return std::nullopt;
  const double total = sum(counts);
  std::vector<double> weights(counts.size()), resampled;
  for (int i = 0; i < options.resamples; ++i) {
    Random random(derive(options.seed, {hash("feedback/bootstrap"), static_cast<std::uint64_t>(i)}));
    for (std::size_t j = 0; j < counts.size(); ++j) weights[j] = counts[j] > 0.0 ? gamma(random, counts[j]) : 0.0;
    const double scale = total / sum(weights);
    for (auto& weight : weights) weight *= scale;
    if (const auto drawn = statistic(weights)) resampled.push_back(*drawn);
  }
  std::sort(resampled.begin(), resampled.end());
  const double outside = (1.0 - options.confidence) / 2.0;
  return Estimate{.value = *value,
                  .low = resampled.empty() ? *value : quantile(resampled, outside),
                  .high = resampled.empty() ? *value : quantile(resampled, 1.0 - outside),
                  .n = std::llround(total)};
}

}  // namespace rlhf::feedback::statistics
