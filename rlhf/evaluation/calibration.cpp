#include "rlhf/evaluation/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/evaluation/pairs.h"

namespace rlhf::evaluation {

nlohmann::json Calibration::to_json() const {
  nlohmann::json all{{"error", error}, {"bins", nlohmann::json::array()}};
  for (const auto& bin : bins)
    all["bins"].push_back(
        {{"low", bin.low}, {"high", bin.high}, {"predicted", bin.predicted}, {"observed", bin.observed}, {"pairs", bin.pairs}});
  return all;
}

Calibration calibration(std::span<const double> learned, std::span<const double> gold, std::span<const std::string> prompt, int bins) {
  if (bins <= 0) {
    throw Error({.category = Category::usage, .where = "evaluation.calibration", .what = fmt::format("{} bins", bins), .fix = "Use 8."});
  }
  struct Pair {
    double margin;  // >= 0
    double right;   // 1, 0.5 for equal learned scores, 0
  };
  std::vector<Pair> pairs;
  for_each_gold_pair("evaluation.calibration", learned, gold, prompt, [&](std::size_t higher, std::size_t lower) {
    const double margin = learned[higher] - learned[lower];
    pairs.push_back({std::abs(margin), margin > 0.0 ? 1.0 : margin == 0.0 ? 0.5 : 0.0});
  });
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.margin < b.margin; });
  Calibration result;
  const auto count = static_cast<std::int64_t>(pairs.size());
  for (std::int64_t bin = 0; bin < bins; ++bin) {
    const auto begin = count * bin / bins, end = count * (bin + 1) / bins;
    if (begin == end) continue;
    CalibrationBin group{.low = pairs[static_cast<std::size_t>(begin)].margin,
                         .high = pairs[static_cast<std::size_t>(end - 1)].margin,
                         .pairs = end - begin};
    for (auto i = begin; i < end; ++i) {
      const auto& pair = pairs[static_cast<std::size_t>(i)];
      group.predicted += 1.0 / (1.0 + std::exp(-pair.margin));
      group.observed += pair.right;
    }
    group.predicted /= static_cast<double>(group.pairs);
    group.observed /= static_cast<double>(group.pairs);
    result.error += std::abs(group.predicted - group.observed) * static_cast<double>(group.pairs) / static_cast<double>(count);
    result.bins.push_back(group);
  }
  return result;
}

}  // namespace rlhf::evaluation
