#include "rlhf/evaluation/rank_tests.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "rlhf/core/error.h"

namespace rlhf::evaluation {
namespace {

void require_values(std::size_t groups, bool all_filled) {
  if (groups >= 2 && all_filled) return;
  throw Error({.category = Category::failure,
               .where = "evaluation.rank_tests",
               .what = groups < 2 ? "there are fewer than two groups" : "a group has no values",
               .fix = "Compare groups that were all measured."});
}

std::vector<std::size_t> order_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  return order;
}

/// Sum over groups of equal values of t^3 - t.
double ties(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  double sum = 0;
  for (std::size_t begin = 0; begin < values.size();) {
    std::size_t end = begin;
    while (end < values.size() && values[end] == values[begin]) ++end;
    const auto equal = static_cast<double>(end - begin);
    sum += equal * equal * equal - equal;
    begin = end;
  }
  return sum;
}

/// The upper regularised incomplete gamma function Q(a, x): a series for small x, a continued fraction for large ones
/// (Abramowitz and Stegun 6.5.29 and 6.5.31, the latter by Lentz's method).
double upper_gamma(double a, double x) {
  const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
  constexpr double precision = 1e-15;
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (double n = a + 1; term > sum * precision; ++n) sum += term *= x / n;
    return 1 - front * sum;
  }
  double b = x + 1 - a, c = 1e300, d = 1 / b, fraction = d;
  for (int i = 1; i < 10000; ++i) {
    const double numerator = -i * (i - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    fraction *= c * d;
    if (std::abs(c * d - 1) < precision) break;
  }
  return front * fraction;
}

}  // namespace

std::vector<double> mean_ranks(std::span<const double> values) {
  const auto order = order_of(values);
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + 1 + end) / 2;
    begin = end;
  }
  return ranks;
}

double chi_square_tail(double value, std::int64_t freedom) {
  return value <= 0 ? 1.0 : upper_gamma(static_cast<double>(freedom) / 2, value / 2);
}

RankTest kruskal_wallis(const std::vector<std::vector<double>>& groups) {
  std::vector<double> all;
  for (const auto& group : groups) all.insert(all.end(), group.begin(), group.end());
  require_values(groups.size(), std::none_of(groups.begin(), groups.end(), [](const auto& g) { return g.empty(); }));
  const auto ranks = mean_ranks(all);
  const auto count = static_cast<double>(all.size());
  double sum = 0;
  std::size_t at = 0;
  for (const auto& group : groups) {
    const double of_group = std::accumulate(ranks.begin() + std::ptrdiff_t(at), ranks.begin() + std::ptrdiff_t(at + group.size()), 0.0);
    sum += of_group * of_group / static_cast<double>(group.size());
    at += group.size();
  }
  const double shared = 1 - ties(all) / (count * count * count - count);
  if (!(shared > 0)) return {};
  const double statistic = (12 / (count * (count + 1)) * sum - 3 * (count + 1)) / shared;
  return {.statistic = statistic, .p = chi_square_tail(statistic, std::ssize(groups) - 1)};
}

RankTest mann_whitney(std::span<const double> first, std::span<const double> second) {
  require_values(2, !first.empty() && !second.empty());
  std::vector<double> all(first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  const auto ranks = mean_ranks(all);
  const auto n = static_cast<double>(first.size()), m = static_cast<double>(second.size()), count = n + m;
  const double of_first = std::accumulate(ranks.begin(), ranks.begin() + std::ptrdiff_t(first.size()), 0.0);
  const double wins = of_first - n * (n + 1) / 2;
  const double variance = n * m / 12 * (count + 1 - ties(all) / (count * (count - 1)));
  if (!(variance > 0)) return {.statistic = wins};
  const double distance = std::max(std::abs(wins - n * m / 2) - 0.5, 0.0);
  return {.statistic = wins, .p = std::erfc(distance / std::sqrt(2 * variance))};
}

std::vector<double> holm(std::span<const double> p) {
  const auto order = order_of(p);
  std::vector<double> adjusted(p.size());
  double least = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    least = std::max(least, std::min(1.0, static_cast<double>(p.size() - i) * p[order[i]]));
    adjusted[order[i]] = least;
  }
  return adjusted;
}

}  // namespace rlhf::evaluation
