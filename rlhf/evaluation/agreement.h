#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace rlhf::evaluation {

/// How well one score (a reward model's) stands for another (gold).
struct Agreement {
  double accuracy = 0.0;    // share of pairs of one prompt that both order alike; equal learned scores count half
  std::int64_t pairs = 0;   // pairs with different gold; 0: accuracy means nothing
  double pearson = 0.0;     // over all samples; 0 when either side is constant
  double spearman = 0.0;    // Pearson of the ranks, equal values sharing the mean rank
};

///   learned, gold  [samples]
///   prompt         [samples]  pairs are made within a prompt only
///
/// Throws rlhf::Error when the sizes differ.
Agreement agreement(std::span<const double> learned, std::span<const double> gold, std::span<const std::string> prompt);

/// Correlations on their own. 0 when a side is constant or there are fewer than two values.
double pearson(std::span<const double> left, std::span<const double> right);
double spearman(std::span<const double> left, std::span<const double> right);

}  // namespace rlhf::evaluation
