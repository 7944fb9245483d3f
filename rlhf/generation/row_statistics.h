#pragma once
#include <cstdint>
#include <vector>

namespace rlhf::generation {

/// What one pass over a row of logits leaves behind: enough to draw from it, to take a logprob, and to find the large
/// logits without reading the whole row again.
class RowStatistics {
 public:
  static constexpr std::int64_t block_size = 256;

  /// `inverse_temperature` scales the second of the two sums; the first is always at temperature 1.
  void read(const float* logits, std::int64_t vocabulary, float inverse_temperature);

  std::int64_t blocks() const { return static_cast<std::int64_t>(maxima_.size()); }
  float block_maximum(std::int64_t block) const { return maxima_[block]; }
  float maximum() const { return maximum_; }

  /// Sum of exp((logit - block maximum) * inverse_temperature) over one block.
  double block_weight(std::int64_t block) const { return tempered_sums_[block]; }

  /// log of the sum of exp(logit), temperature 1, nats.
  double log_sum() const { return log_sum_; }

  /// Sum of exp((logit - maximum) * inverse_temperature) over the row; at least 1.
  double total_weight() const { return total_weight_; }

  /// False when a logit is NaN or +inf, or all of them are -inf: there is then nothing to draw from.
  bool finite() const { return finite_; }

 private:
  std::vector<float> maxima_;          // [blocks]
  std::vector<double> tempered_sums_;  // [blocks]
  float maximum_ = 0;
  double log_sum_ = 0, total_weight_ = 0;
  bool finite_ = false;
};

}  // namespace rlhf::generation
