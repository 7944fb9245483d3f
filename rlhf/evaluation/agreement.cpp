#include "rlhf/evaluation/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/evaluation/bootstrap.h"
#include "rlhf/evaluation/pairs.h"

namespace rlhf::evaluation {
namespace {

/// 1-based ranks; equal values share the mean of theirs.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t first = 0; first < order.size();) {
    auto last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    for (auto i = first; i <= last; ++i) result[order[i]] = 1.0 + static_cast<double>(first + last) / 2.0;
    first = last + 1;
  }
  return result;
}

}  // namespace

void for_each_gold_pair(const char* where, std::span<const double> learned, std::span<const double> gold,
                        std::span<const std::string> prompt, const std::function<void(std::size_t, std::size_t)>& use) {
  if (learned.size() != gold.size() || gold.size() != prompt.size()) {
    throw Error({.category = Category::failure,
                 .where = where,
                 .what = fmt::format("{} learned scores, {} gold scores, {} prompt ids; expected as many of each", learned.size(),
                                     gold.size(), prompt.size()),
                 .fix = ""});
  }
  for (const auto& members : clusters_of(prompt)) {
    for (std::size_t a = 0; a < members.size(); ++a) {
      for (std::size_t b = a + 1; b < members.size(); ++b) {
        const auto i = static_cast<std::size_t>(members[a]), j = static_cast<std::size_t>(members[b]);
        if (gold[i] > gold[j]) use(i, j);
        if (gold[i] < gold[j]) use(j, i);
      }
    }
  }
}

double pearson(std::span<const double> left, std::span<const double> right) {
  const auto count = static_cast<double>(left.size());
  if (left.size() < 2 || left.size() != right.size()) return 0.0;
  const double left_mean = std::accumulate(left.begin(), left.end(), 0.0) / count;
  const double right_mean = std::accumulate(right.begin(), right.end(), 0.0) / count;
  double both = 0.0, left_square = 0.0, right_square = 0.0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double x = left[i] - left_mean, y = right[i] - right_mean;
    both += x * y;
    left_square += x * x;
    right_square += y * y;
  }
  return left_square > 0.0 && right_square > 0.0 ? both / std::sqrt(left_square * right_square) : 0.0;
}

double spearman(std::span<const double> left, std::span<const double> right) {
  if (left.size() != right.size()) return 0.0;
  return pearson(ranks(left), ranks(right));
}

Agreement agreement(std::span<const double> learned, std::span<const double> gold, std::span<const std::string> prompt) {
  Agreement result;
  double right = 0.0;
  for_each_gold_pair("evaluation.agreement", learned, gold, prompt, [&](std::size_t higher, std::size_t lower) {
    ++result.pairs;
    right += learned[higher] > learned[lower] ? 1.0 : learned[higher] == learned[lower] ? 0.5 : 0.0;
  });
  if (result.pairs > 0) result.accuracy = right / static_cast<double>(result.pairs);
  result.pearson = pearson(learned, gold);
  result.spearman = spearman(learned, gold);
  return result;
}

}  // namespace rlhf::evaluation
