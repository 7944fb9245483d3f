#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "rlhf/feedback/statistics/estimate.h"

namespace rlhf::feedback::statistics {

struct BootstrapOptions {
  int resamples = 500;
  double confidence = 0.95;
  std::uint64_t seed = 0;
};

/// A statistic of weighted questions; nothing where it is not defined (all answers equal, no overlap, ...).
using WeightedStatistic = std::function<std::optional<double>(std::span<const double> weights)>;

/// The statistic on the questions as they are, and the middle `confidence` of what it is on resampled ones.
///
///   counts  [patterns]  how many questions look exactly alike: questions with the same answers are one pattern
///
/// The resampling is the Bayesian bootstrap (Rubin 1981): a question's weight is exponential, so the weight of c equal
/// ones is Gamma(c). It costs the number of patterns, not of questions, and agrees with the usual bootstrap closely.
/// Weights keep the sum of the counts. `n` is the number of questions. The same seed and counts give the same bits.
std::optional<Estimate> bootstrap(std::span<const double> counts, const WeightedStatistic& statistic,
                                  const BootstrapOptions& options = {});

}  // namespace rlhf::feedback::statistics
