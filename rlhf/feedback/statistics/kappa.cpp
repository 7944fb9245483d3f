#include "rlhf/feedback/statistics/kappa.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

namespace rlhf::feedback::statistics {
namespace {

double pairs_of(double answers) { return answers * (answers - 1.0) / 2.0; }

/// Pairs of equal values among sorted ones.
double equal_pairs(const std::vector<double>& sorted) {
  double pairs = 0.0, run = 0.0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1.0 : 0.0;
    pairs += run;
  }
  return pairs;
}

double disagreement(std::size_t a, std::size_t b, std::size_t categories, KappaWeights weights) {
  if (weights == KappaWeights::none) return a == b ? 0.0 : 1.0;
  const double apart = std::abs(static_cast<double>(a) - static_cast<double>(b)) / static_cast<double>(categories - 1);
  return weights == KappaWeights::linear ? apart : apart * apart;
}

/// The patterns with the number of answers that most questions have.
std::vector<Pattern> of_commonest_size(std::span<const Pattern> patterns) {
  std::map<std::size_t, double> questions;
  for (const auto& each : patterns) questions[each.values.size()] += each.count;
  if (questions.empty()) return {};
  const auto commonest = std::max_element(questions.begin(), questions.end(),
                                          [](auto& one, auto& other) { return one.second < other.second; })->first;
  std::vector<Pattern> chosen;
  for (const auto& each : patterns)
    if (each.values.size() == commonest) chosen.push_back(each);
  return chosen;
}

}  // namespace

std::optional<Estimate> raw_agreement(std::span<const Pattern> patterns, const BootstrapOptions& options) {
  std::vector<double> equal, all;
  double pairs = 0.0;
  for (const auto& each : patterns) {
    equal.push_back(equal_pairs(each.values));
    all.push_back(pairs_of(static_cast<double>(each.values.size())));
    pairs += each.count * all.back();
  }
  if (pairs == 0.0) return std::nullopt;
  auto estimate = bootstrap(
      counts_of(patterns),
      [&](std::span<const double> weights) -> std::optional<double> {
        return std::inner_product(weights.begin(), weights.end(), equal.begin(), 0.0) /
               std::inner_product(weights.begin(), weights.end(), all.begin(), 0.0);
      },
      options);
  estimate->n = std::llround(pairs);
  return estimate;
}

Table table_of(std::span<const Given> answers, std::int32_t one, std::int32_t other, int categories) {
  const auto size = static_cast<std::size_t>(categories);
  Table table(size, std::vector<double>(size, 0.0));
  std::unordered_map<std::int32_t, std::size_t> said;  // by the first annotator, by item
  for (const auto& each : answers)
    if (each.annotator == one) said[each.item] = static_cast<std::size_t>(each.value);
  for (const auto& each : answers) {
    if (each.annotator != other) continue;
    const auto found = said.find(each.item);
    if (found != said.end()) table[found->second][static_cast<std::size_t>(each.value)] += 1.0;
  }
  return table;
}

std::optional<Estimate> cohen_kappa(const Table& table, KappaWeights weights, const BootstrapOptions& options) {
  const auto size = table.size();
  std::vector<double> cells;
  for (const auto& row : table) cells.insert(cells.end(), row.begin(), row.end());
  return bootstrap(
      cells,
      [&](std::span<const double> cell) -> std::optional<double> {
        std::vector<double> rows(size, 0.0), columns(size, 0.0);
        double total = 0.0, observed = 0.0, expected = 0.0;
        for (std::size_t a = 0; a < size; ++a) {
          for (std::size_t b = 0; b < size; ++b) {
            const double count = cell[a * size + b];
            rows[a] += count, columns[b] += count, total += count;
            observed += disagreement(a, b, size, weights) * count;
          }
        }
        for (std::size_t a = 0; a < size; ++a)
          for (std::size_t b = 0; b < size; ++b) expected += disagreement(a, b, size, weights) * rows[a] * columns[b];
        if (expected <= 0.0) return std::nullopt;
        return 1.0 - observed * total / expected;
      },
      options);
}

std::optional<Estimate> fleiss_kappa(std::span<const Pattern> patterns, const BootstrapOptions& options) {
  const auto chosen = of_commonest_size(patterns);
  return bootstrap(
      counts_of(chosen),
      [&](std::span<const double> weights) -> std::optional<double> {
        std::map<double, double> share;  // of all answers, by category
        double total = 0.0, agreeing = 0.0, questions = 0.0;
        for (std::size_t i = 0; i < chosen.size(); ++i) {
          const auto& values = chosen[i].values;
          for (const double value : values) share[value] += weights[i], total += weights[i];
          agreeing += weights[i] * equal_pairs(values) / pairs_of(static_cast<double>(values.size()));
          questions += weights[i];
        }
        double chance = 0.0;
        for (const auto& [value, count] : share) chance += (count / total) * (count / total);
        if (questions == 0.0 || share.size() < 2) return std::nullopt;
        return (agreeing / questions - chance) / (1.0 - chance);
      },
      options);
}

}  // namespace rlhf::feedback::statistics
