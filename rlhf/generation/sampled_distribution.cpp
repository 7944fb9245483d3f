#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_set>

#include "rlhf/generation/sampler.h"

namespace rlhf::generation {
namespace {

constexpr double removed = -std::numeric_limits<double>::infinity();

void penalise_repetition(std::vector<double>& scores, std::span<const TokenId> seen, double penalty) {
  for (const TokenId id : std::unordered_set<TokenId>(seen.begin(), seen.end())) {
    scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
  }
}

void penalise_presence(std::vector<double>& scores, std::span<const TokenId> completion, const SamplingConfig& config) {
  std::map<TokenId, int> counts;
  for (const TokenId id : completion) ++counts[id];
  for (const auto& [id, count] : counts) scores[id] -= config.presence_penalty + config.frequency_penalty * count;
}

void allow(std::vector<double>& scores, const TokenSet& allowed) {
  for (std::size_t id = 0; id < scores.size(); ++id) {
    if (!allowed.contains(static_cast<TokenId>(id))) scores[id] = removed;
  }
}

/// Token ids by falling score; equal scores by rising id.
std::vector<std::int64_t> ranking(const std::vector<double>& scores) {
  std::vector<std::int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] > scores[b]; });
  return order;
}

void normalise(std::vector<double>& scores) {
  const double top = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - top);
  for (double& score : scores) score -= top + std::log(sum);
}

void keep_top_k(std::vector<double>& scores, std::int64_t k) {
  const double last = scores[ranking(scores)[std::min<std::int64_t>(k, scores.size()) - 1]];
  for (double& score : scores) {
    if (score < last) score = removed;
  }
}

/// Keeps a token when the tokens above it have less than `mass` together.
void keep_top_p(std::vector<double>& scores, double mass) {
  normalise(scores);
  double above = 0;
  for (const auto id : ranking(scores)) {
    const double probability = std::exp(scores[id]);
    if (above > 0 && above >= mass) scores[id] = removed;
    above += probability;
  }
}

void keep_min_p(std::vector<double>& scores, double share) {
  const double edge = *std::max_element(scores.begin(), scores.end()) + std::log(share);
  for (double& score : scores) {
    if (score < edge) score = removed;
  }
}

}  // namespace

std::vector<double> sampled_distribution(std::span<const float> logits, const DrawKey& key) {
  const auto& config = *key.config;
  std::vector<double> scores(logits.begin(), logits.end());
  if (config.repetition_penalty != 1) penalise_repetition(scores, key.seen, config.repetition_penalty);
  penalise_presence(scores, key.seen.subspan(key.prompt), config);
  for (const auto& [id, bias] : config.logit_bias) scores[id] += bias;
  if (key.allowed != nullptr) allow(scores, *key.allowed);
  if (config.greedy) {
    const auto best = ranking(scores).front();
    std::fill(scores.begin(), scores.end(), removed);
    scores[best] = 0;
    return scores;
  }
  for (double& score : scores) score /= config.temperature;
  if (config.top_k > 0) keep_top_k(scores, config.top_k);
  if (config.top_p < 1) keep_top_p(scores, config.top_p);
  if (config.min_p > 0) keep_min_p(scores, config.min_p);
  normalise(scores);
  return scores;
}

}  // namespace rlhf::generation
