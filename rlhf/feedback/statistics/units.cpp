#include "rlhf/feedback/statistics/units.h"

#include <algorithm>
#include <map>
#include <utility>

namespace rlhf::feedback::statistics {

std::vector<Pattern> patterns_of(std::span<const Given> answers) {
  std::vector<std::pair<std::int32_t, double>> sorted;  // item, value
  sorted.reserve(answers.size());
  for (const auto& each : answers) sorted.emplace_back(each.item, each.value);
  std::sort(sorted.begin(), sorted.end());
  std::map<std::vector<double>, double> counts;
  for (std::size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
    std::vector<double> values;
    for (end = begin; end < sorted.size() && sorted[end].first == sorted[begin].first; ++end)
      values.push_back(sorted[end].second);
    if (values.size() >= 2) counts[std::move(values)] += 1.0;
  }
  std::vector<Pattern> patterns;
  for (auto& [values, count] : counts) patterns.push_back({values, count});
  return patterns;
}

std::vector<double> counts_of(std::span<const Pattern> patterns) {
  std::vector<double> counts;
  for (const auto& each : patterns) counts.push_back(each.count);
  return counts;
}

}  // namespace rlhf::feedback::statistics
