#include "rlhf/feedback/statistics/krippendorff.h"

#include <algorithm>
#include <vector>

namespace rlhf::feedback::statistics {
namespace {

/// The values that occur, lowest first, and each pattern's answers as places in them.
struct Coded {
  std::vector<double> values;
  std::vector<std::vector<std::size_t>> answers;  // [patterns]
};

Coded code(std::span<const Pattern> patterns) {
  Coded coded;
  for (const auto& each : patterns) coded.values.insert(coded.values.end(), each.values.begin(), each.values.end());
  std::sort(coded.values.begin(), coded.values.end());
  coded.values.erase(std::unique(coded.values.begin(), coded.values.end()), coded.values.end());
  for (const auto& each : patterns) {
    auto& answers = coded.answers.emplace_back();
    for (const double value : each.values) {
      const auto place = std::lower_bound(coded.values.begin(), coded.values.end(), value);
      answers.push_back(static_cast<std::size_t>(place - coded.values.begin()));
    }
  }
  return coded;
}

/// What the distance is taken of. An ordinal distance is the squared difference of mid-ranks, which is the same as the
/// answers that lie between two values, half of those at each end counted.
std::vector<double> positions(const Coded& coded, std::span<const double> totals, Level level) {
  if (level != Level::ordinal) return coded.values;
  std::vector<double> ranks;
  double before = 0.0;
  for (const double total : totals) {
    ranks.push_back(before + total / 2);
    before += total;
  }
  return ranks;
}

double distance(double one, double other, Level level) {
  if (one == other) return 0.0;
  const double apart = level == Level::nominal ? 1.0 : level == Level::ratio ? (one - other) / (one + other) : one - other;
  return apart * apart;
}

/// Sum of distances over all ordered pairs of answers, `totals[i]` of them at `where[i]`. Linear in the number of values
/// but for ratios: the sum of squared differences follows from two moments.
double all_pairs(std::span<const double> where, std::span<const double> totals, Level level) {
  double count = 0.0, first = 0.0, second = 0.0, squares = 0.0, ratios = 0.0;
  for (std::size_t i = 0; i < where.size(); ++i) {
    count += totals[i], first += totals[i] * where[i], second += totals[i] * where[i] * where[i];
    squares += totals[i] * totals[i];
    if (level != Level::ratio) continue;
    for (std::size_t j = 0; j < i; ++j) ratios += 2 * totals[i] * totals[j] * distance(where[i], where[j], level);
  }
  if (level == Level::nominal) return count * count - squares;
  return level == Level::ratio ? ratios : 2 * (count * second - first * first);
}

std::optional<double> alpha(const Coded& coded, std::span<const double> weights, Level level) {
  std::vector<double> totals(coded.values.size(), 0.0);
  double answers = 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i)
    for (const auto place : coded.answers[i]) totals[place] += weights[i], answers += weights[i];
  const auto where = positions(coded, totals, level);
  double observed = 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto& said = coded.answers[i];
    double inside = 0.0;
    for (std::size_t a = 0; a < said.size(); ++a)
      for (std::size_t b = 0; b < a; ++b) inside += 2 * distance(where[said[a]], where[said[b]], level);
    observed += weights[i] * inside / static_cast<double>(said.size() - 1);
  }
  const double expected = all_pairs(where, totals, level);
  if (!(expected > 0.0)) return std::nullopt;
  return 1.0 - (answers - 1.0) * observed / expected;
}

}  // namespace

std::optional<Estimate> krippendorff_alpha(std::span<const Pattern> patterns, Level level,
                                           const BootstrapOptions& options) {
  const auto coded = code(patterns);
  if (coded.values.size() < 2) return std::nullopt;
  return bootstrap(
      counts_of(patterns), [&](std::span<const double> weights) { return alpha(coded, weights, level); }, options);
}

}  // namespace rlhf::feedback::statistics
