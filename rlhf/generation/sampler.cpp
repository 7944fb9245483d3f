#include "rlhf/generation/sampler.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <unordered_map>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/generation/row_statistics.h"

namespace rlhf::generation {
namespace {

struct Candidate {
  float logit;
  TokenId id;
};

bool more_probable(const Candidate& a, const Candidate& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; }

/// Draws from one row after another. Kept from row to row of a thread for its buffers.
class RowSampler {
 public:
  explicit RowSampler(std::int64_t vocabulary) : vocabulary_(vocabulary) {}

  Draw draw(const float* logits, const DrawKey& key) {
    config_ = key.config;
    inverse_temperature_ = config_->greedy ? 1.0 : 1.0 / config_->temperature;
    row_ = logits;
    read(key.row);
    const double raw_log_sum = statistics_.log_sum();
    const auto top = most_probable(key.top, raw_log_sum);
    if (adjusted(key)) adjust(key);
    Draw choice = config_->greedy ? Draw{.token = most_probable()}
                  : filtered()    ? draw_filtered(uniform_at(key.key, key.index))
                                  : draw_unfiltered(uniform_at(key.key, key.index));
    choice.raw_logprob = static_cast<float>(logits[choice.token] - raw_log_sum);
    choice.top = top;
    return choice;
  }

 private:
  bool filtered() const { return config_->top_k > 0 || config_->top_p < 1 || config_->min_p > 0; }

  bool adjusted(const DrawKey& key) const {
    return reads_seen(*config_) || !config_->logit_bias.empty() || key.allowed != nullptr;
  }

  void read(std::int64_t row) {
    statistics_.read(row_, vocabulary_, static_cast<float>(inverse_temperature_));
    if (statistics_.finite()) return;
    throw Error({.where = fmt::format("sampler: row {} of the logits", row),
                 .what = "holds NaN or infinity, so there is no distribution to draw from",
                 .fix = "The weights are probably damaged or training diverged; `rlhf selftest` says where it begins."});
  }

  /// Unnormalised probability after temperature, relative to the best token's.
  double weight(float logit) const { return std::exp((double(logit) - statistics_.maximum()) * inverse_temperature_); }

  /// The row with penalties, biases and what may not be drawn. From here on `row_` is our own copy.
  void adjust(const DrawKey& key) {
    adjusted_.assign(row_, row_ + vocabulary_);
    if (const auto penalty = static_cast<float>(config_->repetition_penalty); penalty != 1) {
      for (const TokenId id : key.seen) {  // from the untouched row, so that a token seen twice is penalised once
        adjusted_[id] = row_[id] < 0 ? row_[id] * penalty : row_[id] / penalty;
      }
    }
    if (config_->presence_penalty != 0 || config_->frequency_penalty != 0) penalise_presence(key.seen.subspan(key.prompt));
    for (const auto& [id, bias] : config_->logit_bias) adjusted_[id] += bias;
    if (key.allowed != nullptr) {
      for (TokenId id = 0; id < vocabulary_; ++id) {
        if (!key.allowed->contains(id)) adjusted_[id] = -std::numeric_limits<float>::infinity();
      }
    }
    row_ = adjusted_.data();
    read(key.row);
  }

  void penalise_presence(std::span<const TokenId> completion) {
    std::unordered_map<TokenId, int> counts;
    for (const TokenId id : completion) ++counts[id];
    for (const auto& [id, count] : counts) {
      adjusted_[id] -= static_cast<float>(config_->presence_penalty + config_->frequency_penalty * count);
    }
  }

  TokenId most_probable() const {
    std::int64_t block = 0;
    while (statistics_.block_maximum(block) != statistics_.maximum()) ++block;
    TokenId id = block * RowStatistics::block_size;
    while (row_[id] != statistics_.maximum()) ++id;
    return id;
  }

  /// The `count` most probable tokens of the row as it stands.
  std::vector<TokenLogprob> most_probable(int count, double log_sum) {
    if (count <= 0) return {};
    gather(edge_of_top(count));
    const auto found = std::min<std::ptrdiff_t>(count, std::ssize(candidates_));
    std::partial_sort(candidates_.begin(), candidates_.begin() + found, candidates_.end(), more_probable);
    std::vector<TokenLogprob> top;
    for (const auto& each : std::span(candidates_).first(found)) top.push_back({each.id, static_cast<float>(each.logit - log_sum)});
    return top;
  }

  /// Inverse of the cumulative distribution: first the block, then the token in it.
  Draw draw_unfiltered(double uniform) const {
    double left = uniform * statistics_.total_weight();
    std::int64_t chosen = -1;
    double scale = 1;
    for (std::int64_t block = 0; block < statistics_.blocks(); ++block) {
      if (statistics_.block_weight(block) == 0) continue;
      const double block_scale = weight(statistics_.block_maximum(block));
      const double share = statistics_.block_weight(block) * block_scale;
      if (share == 0) continue;
      chosen = block;
      scale = block_scale;
      if (left < share) break;
      left -= share;
    }
    return token_of_block(chosen, left / scale);
  }

  Draw token_of_block(std::int64_t block, double left) const {
    const TokenId begin = block * RowStatistics::block_size, end = std::min(begin + RowStatistics::block_size, vocabulary_);
    const float top = statistics_.block_maximum(block);
    TokenId chosen = begin;
    for (TokenId id = begin; id < end; ++id) {
      const double share = std::exp((double(row_[id]) - top) * inverse_temperature_);
      if (share == 0) continue;
      chosen = id;  // rounding may leave a remainder after the last token: it then goes to the last one possible
      if (left < share) break;
      left -= share;
    }
    return {.token = chosen, .sampled_logprob = sampled_logprob(row_[chosen], statistics_.total_weight())};
  }

  float sampled_logprob(float logit, double total) const {
    return static_cast<float>((double(logit) - statistics_.maximum()) * inverse_temperature_ - std::log(total));
  }

  Draw draw_filtered(double uniform) {
    gather(lowest_candidate());
    if (config_->top_k > 0) keep_top_k();
    if (config_->top_p < 1) keep_top_p(config_->top_k > 0 ? candidates_weight() : statistics_.total_weight());
    if (config_->min_p > 0) keep_min_p();
    // By id: the order left by the filters could change with the last bit of a logit, and the draw with it.
    std::sort(candidates_.begin(), candidates_.end(), [](auto& a, auto& b) { return a.id < b.id; });
    const double total = candidates_weight();
    double left = uniform * total;
    Candidate chosen = candidates_.front();
    for (const auto& candidate : candidates_) {
      chosen = candidate;
      const double share = weight(candidate.logit);
      if (left < share) break;
      left -= share;
    }
    return {.token = chosen.id, .sampled_logprob = sampled_logprob(chosen.logit, total)};
  }

  /// A bound that none of the k most probable tokens is below. Cheap, and not exact: k blocks have a maximum of at least
  /// the k-th largest block maximum, so the k-th largest logit is no lower.
  double edge_of_top(std::int64_t k) {
    constexpr double none = -std::numeric_limits<float>::max();  // leaves out -inf
    if (k > statistics_.blocks()) return none;
    maxima_.clear();
    for (std::int64_t block = 0; block < statistics_.blocks(); ++block) maxima_.push_back(statistics_.block_maximum(block));
    std::nth_element(maxima_.begin(), maxima_.begin() + (k - 1), maxima_.end(), std::greater<>());
    return std::max<double>(none, maxima_[k - 1]);
  }

  /// A bound below which no token can pass the filters; cheap, and not exact.
  double lowest_candidate() {
    if (config_->top_k > 0) return edge_of_top(config_->top_k);
    constexpr double slack = 1e-3;  // more than the rounding of a float sum, less than anything that costs time
    double lowest = -std::numeric_limits<float>::max();
    if (config_->top_p < 1) {
      // Tokens below (1 - p) / vocabulary have less than 1 - p together, so the others hold the nucleus.
      const double share = (1 - config_->top_p) / static_cast<double>(vocabulary_) * statistics_.total_weight();
      lowest = std::max(lowest, statistics_.maximum() + std::log(share) / inverse_temperature_ - slack);
    }
    if (config_->min_p > 0) lowest = std::max(lowest, statistics_.maximum() + std::log(config_->min_p) / inverse_temperature_ - slack);
    return lowest;
  }

  void gather(double lowest) {
    candidates_.clear();
    const auto edge = static_cast<float>(std::min<double>(lowest, statistics_.maximum()));
    for (std::int64_t block = 0; block < statistics_.blocks(); ++block) {
      if (!(statistics_.block_maximum(block) >= edge)) continue;
      const TokenId begin = block * RowStatistics::block_size, end = std::min(begin + RowStatistics::block_size, vocabulary_);
      for (TokenId id = begin; id < end; ++id) {
        if (row_[id] >= edge) candidates_.push_back({row_[id], id});
      }
    }
  }

  void keep_top_k() {
    if (config_->top_k >= static_cast<std::int64_t>(candidates_.size())) return;
    const auto last = candidates_.begin() + (config_->top_k - 1);
    std::nth_element(candidates_.begin(), last, candidates_.end(), more_probable);
    const float edge = last->logit;
    std::erase_if(candidates_, [&](const Candidate& candidate) { return candidate.logit < edge; });
  }

  /// Keeps a token when the tokens more probable than it have less than top_p of `total` together. Halves the range in
  /// which that boundary lies until one token is left: no full sort.
  void keep_top_p(double total) {
    const double mass = config_->top_p * total;
    auto kept = candidates_.begin(), dropped = candidates_.end();
    double above = 0;
    while (dropped - kept > 1) {
      const auto middle = kept + (dropped - kept) / 2;
      std::nth_element(kept, middle, dropped, more_probable);
      double between = 0;
      for (auto at = kept; at != middle; ++at) between += weight(at->logit);
      if (above + between < mass) {
        above += between;
        kept = middle;
      } else {
        dropped = middle;
      }
    }
    candidates_.erase(dropped, candidates_.end());
  }

  void keep_min_p() {
    std::erase_if(candidates_, [&](const Candidate& candidate) { return weight(candidate.logit) < config_->min_p; });
  }

  double candidates_weight() const {
    double total = 0;
    for (const auto& candidate : candidates_) total += weight(candidate.logit);
    return total;
  }

  std::int64_t vocabulary_;
  const SamplingConfig* config_ = nullptr;  // of the row at hand
  double inverse_temperature_ = 1;
  const float* row_ = nullptr;
  RowStatistics statistics_;
  std::vector<float> adjusted_, maxima_;
  std::vector<Candidate> candidates_;
};

}  // namespace

std::vector<Draw> draw_tokens(const float* logits, std::int64_t vocabulary, std::span<const DrawKey> keys) {
  std::vector<Draw> draws(keys.size());
  at::parallel_for(0, static_cast<std::int64_t>(keys.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    RowSampler sampler(vocabulary);
    for (std::int64_t i = begin; i < end; ++i) draws[i] = sampler.draw(logits + keys[i].row * vocabulary, keys[i]);
  });
  return draws;
}

}  // namespace rlhf::generation
