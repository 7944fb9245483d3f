#include "rlhf/evaluation/over_seeds.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::evaluation {
namespace {

void require_runs(bool any) {
  if (any) return;
  throw Error({.category = Category::failure,
               .where = "evaluation.over_seeds",
               .what = "there is no run to summarise",
               .fix = "Pass one value for each run."});
}

/// Runs drawn with replacement, task by task, and put together.
std::vector<double> resampled(const std::vector<std::vector<double>>& tasks, Random& random) {
  std::vector<double> pooled;
  for (const auto& runs : tasks)
    for (std::size_t i = 0; i < runs.size(); ++i)
      pooled.push_back(runs[static_cast<std::size_t>(random.below(std::ssize(runs)))]);
  return pooled;
}

std::vector<double> pooled(const std::vector<std::vector<double>>& tasks) {
  std::vector<double> all;
  for (const auto& runs : tasks) all.insert(all.end(), runs.begin(), runs.end());
  return all;
}

double plain_mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

template <class Statistic>
Interval interval_of(const std::vector<std::vector<double>>& tasks, const BootstrapConfig& config,
                     const Statistic& statistic) {
  config.validate();
  require_runs(!tasks.empty() && std::none_of(tasks.begin(), tasks.end(), [](const auto& runs) { return runs.empty(); }));
  std::vector<double> drawn;
  for (std::int64_t i = 0; i < config.resamples; ++i) {
    Random random(derive(config.seed, {hash("over_seeds"), static_cast<std::uint64_t>(i)}));
    drawn.push_back(statistic(resampled(tasks, random)));
  }
  std::sort(drawn.begin(), drawn.end());
  const double outside = (1.0 - config.confidence) / 2.0;
  return {.mean = statistic(pooled(tasks)), .low = quantile(drawn, outside), .high = quantile(drawn, 1.0 - outside)};
}

}  // namespace

double interquartile_mean(std::span<const double> values) {
  if (values.empty()) return std::nan("");
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const auto cut = sorted.size() / 4;
  return plain_mean(std::span(sorted).subspan(cut, sorted.size() - 2 * cut));
}

Interval mean_over_runs(std::span<const double> values, const BootstrapConfig& config) {
  return interval_of({{values.begin(), values.end()}}, config, plain_mean);
}

Interval interquartile_mean_over_runs(std::span<const double> values, const BootstrapConfig& config) {
  return interquartile_mean_over_tasks({{values.begin(), values.end()}}, config);
}

Interval interquartile_mean_over_tasks(const std::vector<std::vector<double>>& tasks, const BootstrapConfig& config) {
  return interval_of(tasks, config, interquartile_mean);
}

std::vector<double> performance_profile(std::span<const double> values, std::span<const double> thresholds) {
  require_runs(!values.empty());
  std::vector<double> shares;
  for (const double threshold : thresholds) {
    const auto above = std::count_if(values.begin(), values.end(), [&](double value) { return value > threshold; });
    shares.push_back(static_cast<double>(above) / static_cast<double>(values.size()));
  }
  return shares;
}

double probability_of_improvement(std::span<const double> first, std::span<const double> second) {
  require_runs(!first.empty() && !second.empty());
  double better = 0;
  for (const double one : first)
    for (const double other : second) better += one > other ? 1.0 : one == other ? 0.5 : 0.0;
  return better / static_cast<double>(first.size() * second.size());
}

}  // namespace rlhf::evaluation
