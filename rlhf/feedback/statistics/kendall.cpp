#include "rlhf/feedback/statistics/kendall.h"

#include <cmath>
#include <map>
#include <numeric>

namespace rlhf::feedback::statistics {
namespace {

int sign(double difference) { return (difference > 0.0) - (difference < 0.0); }

/// Mean over the pairs of annotators of one question; nothing when no pair says something.
std::optional<double> tau_of_question(const std::vector<std::vector<double>>& rankings) {
  double sum = 0.0;
  int pairs = 0;
  for (std::size_t a = 0; a < rankings.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const auto tau = kendall_tau_b(rankings[a], rankings[b]);
      if (tau) sum += *tau, ++pairs;
    }
  }
  if (pairs == 0) return std::nullopt;
  return sum / pairs;
}

}  // namespace

std::optional<double> kendall_tau_b(std::span<const double> one, std::span<const double> other) {
  double balance = 0.0, apart_in_one = 0.0, apart_in_other = 0.0;
  for (std::size_t i = 0; i < one.size() && i < other.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const int first = sign(one[i] - one[j]), second = sign(other[i] - other[j]);
      balance += first * second;  // concordant less discordant
      apart_in_one += first != 0, apart_in_other += second != 0;
    }
  }
  if (apart_in_one == 0.0 || apart_in_other == 0.0) return std::nullopt;
  return balance / std::sqrt(apart_in_one * apart_in_other);
}

std::vector<double> ranks_of(const std::vector<std::vector<int>>& groups, std::size_t items) {
  std::vector<double> ranks(items, -1.0);
  for (std::size_t place = 0; place < groups.size(); ++place) {
    for (const int item : groups[place])
      if (item >= 0 && static_cast<std::size_t>(item) < items) ranks[static_cast<std::size_t>(item)] = static_cast<double>(place);
  }
  return ranks;
}

std::optional<Estimate> mean_kendall(const std::vector<std::vector<std::vector<double>>>& rankings,
                                     const BootstrapOptions& options) {
  std::map<double, double> questions;  // by their tau, of which few items allow few values
  for (const auto& each : rankings)
    if (const auto tau = tau_of_question(each)) questions[*tau] += 1.0;
  if (questions.empty()) return std::nullopt;
  std::vector<double> taus, counts;
  for (const auto& [tau, count] : questions) taus.push_back(tau), counts.push_back(count);
  return bootstrap(
      counts,
      [&](std::span<const double> weights) -> std::optional<double> {
        return std::inner_product(weights.begin(), weights.end(), taus.begin(), 0.0) /
               std::accumulate(weights.begin(), weights.end(), 0.0);
      },
      options);
}

}  // namespace rlhf::feedback::statistics
