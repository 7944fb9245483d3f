#include "rlhf/evaluation/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "rlhf/core/error.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/seed.h"

namespace rlhf::evaluation {
namespace {

/// The interval that holds the middle `confidence` of the resampled means.
Interval percentiles(double mean, std::vector<double> resampled, double confidence) {
  std::sort(resampled.begin(), resampled.end());
  const double outside = (1.0 - confidence) / 2.0;
  return {.mean = mean, .low = quantile(resampled, outside), .high = quantile(resampled, 1.0 - outside)};
}

/// Calls use(cluster) for each of `count` clusters drawn with replacement. Every resample has a key of its own.
template <class Use>
void draw(std::int64_t count, std::uint64_t seed, std::int64_t resample, const Use& use) {
  Random random(derive(seed, {hash("bootstrap"), static_cast<std::uint64_t>(resample)}));
  for (std::int64_t i = 0; i < count; ++i) use(static_cast<std::size_t>(random.below(count)));
}

void require_values(std::size_t values, std::size_t clusters) {
  if (values == clusters && values > 0) return;
  throw Error({.category = Category::failure,
               .where = "evaluation.bootstrap",
               .what = fmt::format("{} values and {} cluster ids; expected as many of both, and at least one", values, clusters),
               .fix = "Pass the prompt id of each value."});
}

}  // namespace

void BootstrapConfig::fields(Fields& f) {
  f.field("resamples", resamples, "resamples behind each confidence interval");
  f.field("confidence", confidence, "share of resamples inside the interval");
  f.field("seed", seed, "of the resampling");
}

void BootstrapConfig::validate() const {
  if (resamples <= 0) {
    throw Error({.category = Category::usage, .where = "resamples", .what = fmt::format("{} is not positive", resamples), .fix = "2000 is plenty."});
  }
  if (!(confidence > 0.0 && confidence < 1.0)) {
    throw Error({.category = Category::usage, .where = "confidence", .what = fmt::format("{} is not between 0 and 1", confidence), .fix = "Use 0.95."});
  }
}

double quantile(std::span<const double> sorted, double q) {
  if (sorted.empty()) return std::nan("");
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const auto above = std::min(below + 1, sorted.size() - 1);
  const double part = position - static_cast<double>(below);
  return sorted[below] + part * (sorted[above] - sorted[below]);
}

std::vector<std::vector<std::int64_t>> clusters_of(std::span<const std::string> ids) {
  std::vector<std::vector<std::int64_t>> clusters;
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto [found, is_new] = index.emplace(ids[i], clusters.size());
    if (is_new) clusters.emplace_back();
    clusters[found->second].push_back(static_cast<std::int64_t>(i));
  }
  return clusters;
}

Interval bootstrap_mean(std::span<const double> values, std::span<const std::string> cluster, const BootstrapConfig& config) {
  config.validate();
  require_values(values.size(), cluster.size());
  const auto clusters = clusters_of(cluster);
  std::vector<double> sums;
  double total = 0.0;
  for (const auto& members : clusters) {
    double sum = 0.0;
    for (const auto i : members) sum += values[static_cast<std::size_t>(i)];
    sums.push_back(sum);
    total += sum;
  }
  std::vector<double> means;
  for (std::int64_t resample = 0; resample < config.resamples; ++resample) {
    double sum = 0.0;
    std::size_t count = 0;
    draw(static_cast<std::int64_t>(clusters.size()), config.seed, resample, [&](std::size_t drawn) {
      sum += sums[drawn];
      count += clusters[drawn].size();
    });
    means.push_back(sum / static_cast<double>(count));
  }
  return percentiles(total / static_cast<double>(values.size()), std::move(means), config.confidence);
}

}  // namespace rlhf::evaluation
