#include "rlhf/algorithms/agreement.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

double credit(double gap) { return gap > 0 ? 1.0 : gap == 0 ? 0.5 : 0.0; }

}  // namespace

PairAccuracy pair_accuracy(const Tensor& scores, std::span<const data::Comparison> comparisons) {
  const Tensor flat = scores.detach().to(at::kCPU, at::kFloat).contiguous();
  const float* score = flat.const_data_ptr<float>();
  std::vector<double> gaps;  // preferred - other
  std::int64_t first = 0;
  for (const auto& comparison : comparisons) {
    const auto size = static_cast<std::int64_t>(comparison.items.size());
    if (first + size > flat.numel()) break;
    for (std::int64_t i = 0; i < size; ++i)
      if (!comparison.tie && i != comparison.best) gaps.push_back(double(score[first + comparison.best]) - score[first + i]);
    first += size;
  }
  if (first != flat.numel())
    throw Error({.category = Category::usage, .where = "pair_accuracy", .what = "the scores do not match the comparisons", .fix = "Pass one score per item."});

  PairAccuracy result{.pairs = static_cast<std::int64_t>(gaps.size())};
  if (gaps.empty()) return result;
  std::sort(gaps.begin(), gaps.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  double right = 0;
  for (const double gap : gaps) right += credit(gap);
  const double n = static_cast<double>(gaps.size()), share = right / n, z = 1.959964;
  const double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  result.accuracy = share;
  result.low = centre - half;
  result.high = centre + half;
  for (std::size_t quarter = 0; quarter < 4; ++quarter) {
    const auto begin = gaps.size() * quarter / 4, end = gaps.size() * (quarter + 1) / 4;
    if (begin == end) continue;
    MarginBin bin{.from = std::abs(gaps[begin]), .to = std::abs(gaps[end - 1]), .pairs = static_cast<std::int64_t>(end - begin)};
    for (auto i = begin; i < end; ++i) bin.accuracy += credit(gaps[i]) / static_cast<double>(end - begin);
    result.bins.push_back(bin);
  }
  return result;
}

}  // namespace rlhf::algorithms
