#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rlhf {
class Fields;
}

namespace rlhf::evaluation {

/// A mean with its confidence interval, in units of the values.
struct Interval {
  double mean = 0.0;
  double low = 0.0;
  double high = 0.0;
};

struct BootstrapConfig {
  std::int64_t resamples = 2000;  // > 0
  double confidence = 0.95;       // 0..1, both ends left out
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

/// The groups of equal cluster ids, in order of first appearance, as indices into the ids.
std::vector<std::vector<std::int64_t>> clusters_of(std::span<const std::string> ids);

/// Percentile bootstrap of the mean of `values`, whole clusters drawn with replacement: samples of one prompt are alike,
/// so treating them as independent would give intervals that are too narrow (Efron and Tibshirani 1993, ch. 8 and 13).
///
///   values   [samples]
///   cluster  [samples]  id of the prompt each value belongs to
///
/// The same seed and input give the same bits. Throws rlhf::Error when sizes differ or there is no value.
Interval bootstrap_mean(std::span<const double> values, std::span<const std::string> cluster,
                        const BootstrapConfig& config = {});

/// Quantile q (0..1) of sorted values, linear between neighbours (the rule numpy calls `linear`).
double quantile(std::span<const double> sorted, double q);

}  // namespace rlhf::evaluation
