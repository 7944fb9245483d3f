#pragma once
#include <optional>
#include <span>
#include <vector>

#include "rlhf/feedback/statistics/bootstrap.h"

namespace rlhf::feedback::statistics {

/// Kendall's tau-b of two rankings of the same items, ties allowed (Kendall 1945): 1 = the same order, -1 = reversed.
///
///   one, other  [items]  rank of each item; equal ranks are ties
///
/// Nothing where either ranking ties everything. Quadratic in the number of items, which are few.
std::optional<double> kendall_tau_b(std::span<const double> one, std::span<const double> other);

/// Rank of each of `items` items in groups from best to worst; -1 for one that no group names.
std::vector<double> ranks_of(const std::vector<std::vector<int>>& groups, std::size_t items);

/// Mean tau-b over all pairs of rankings of one question, then over questions; `n` counts questions.
///
///   rankings  [questions][annotators][items]
///
std::optional<Estimate> mean_kendall(const std::vector<std::vector<std::vector<double>>>& rankings,
                                     const BootstrapOptions& options = {});

}  // namespace rlhf::feedback::statistics
