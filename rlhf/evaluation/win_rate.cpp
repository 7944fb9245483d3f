#include "rlhf/evaluation/win_rate.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "rlhf/core/error.h"

namespace rlhf::evaluation {
namespace {

using Key = std::pair<std::string, int>;

[[noreturn]] void fail(const ScoredSample& sample, const char* problem) {
  throw Error({.category = Category::bad_data,
               .where = "evaluation.win_rate",
               .what = fmt::format("sample {} of prompt '{}' {}", sample.sample, sample.prompt_id, problem),
               .fix = "Both sides must answer the same prompts with the same number of samples."});
}

std::map<Key, double> by_key(std::span<const ScoredSample> samples) {
  std::map<Key, double> scores;
  for (const auto& sample : samples) {
    if (!scores.emplace(Key(sample.prompt_id, sample.sample), sample.score).second) fail(sample, "appears twice");
  }
  return scores;
}

}  // namespace

WinRate win_rate(std::span<const ScoredSample> now, std::span<const ScoredSample> start, const BootstrapConfig& config, double tie) {
  const auto before = by_key(start);
  const auto after = by_key(now);
  for (const auto& sample : start) {
    if (!after.contains({sample.prompt_id, sample.sample})) fail(sample, "is missing now");
  }
  WinRate result;
  std::vector<double> points;
  std::vector<std::string> prompts;
  for (const auto& sample : now) {
    const auto partner = before.find({sample.prompt_id, sample.sample});
    if (partner == before.end()) fail(sample, "has no partner from the start");
    const double difference = sample.score - partner->second;
    const bool equal = std::abs(difference) <= tie;
    points.push_back(equal ? 0.5 : difference > 0.0 ? 1.0 : 0.0);
    prompts.push_back(sample.prompt_id);
    (equal ? result.ties : difference > 0.0 ? result.wins : result.losses) += 1;
  }
  result.rate = bootstrap_mean(points, prompts, config);
  return result;
}

}  // namespace rlhf::evaluation
