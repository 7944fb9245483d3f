#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rlhf::evaluation {

// Do groups of measurements differ, judged by their ranks alone? What a study of people asks whose answers are on a scale
// that nobody knows the steps of.

/// The mean rank (from 1) of each value among all of them; equal ones share it.
std::vector<double> mean_ranks(std::span<const double> values);

/// The chance that a chi-square variable with `freedom` degrees of freedom is at least `value`.
double chi_square_tail(double value, std::int64_t freedom);

struct RankTest {
  double statistic = 0.0;
  double p = 1.0;  // 1 where all values are equal
};

/// Kruskal and Wallis (1952): are all groups drawn from one distribution? H is divided by its factor for ties, p is the
/// chi-square tail. Throws rlhf::Error (failure) unless there are two groups or more and none is empty.
RankTest kruskal_wallis(const std::vector<std::vector<double>>& groups);

/// Mann and Whitney (1947), two-sided, by the normal approximation with the correction for ties and for continuity;
/// `statistic` is U of the first group: how many pairs it wins, equal ones counting half. Throws as above.
RankTest mann_whitney(std::span<const double> first, std::span<const double> second);

/// Holm (1979): p-values of several tests so adjusted that the chance of any false finding stays below the level. In the
/// order given.
std::vector<double> holm(std::span<const double> p);

}  // namespace rlhf::evaluation
