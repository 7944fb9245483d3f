#pragma once
#include <optional>
#include <span>

#include "rlhf/feedback/statistics/bootstrap.h"
#include "rlhf/feedback/statistics/units.h"

namespace rlhf::feedback::statistics {

/// How far apart two values are: nominal: equal or not; ordinal: answers between their ranks; interval: their
/// difference; ratio: their difference in relation to their sum.
enum class Level { nominal, ordinal, interval, ratio };

/// Krippendorff's alpha (Krippendorff 2011, "Computing Krippendorff's alpha-reliability"): agreement beyond chance for any
/// number of annotators, any level of measurement and missing answers. 1 = perfect, 0 = as chance; he advises to rely on
/// data above 0.8. `n` counts questions with two or more answers. Nothing where all answers are the same.
std::optional<Estimate> krippendorff_alpha(std::span<const Pattern> patterns, Level level,
                                           const BootstrapOptions& options = {});

}  // namespace rlhf::feedback::statistics
