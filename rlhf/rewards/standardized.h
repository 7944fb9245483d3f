#pragma once
#include <span>

namespace rlhf::rewards {

/// score = gain * head + bias: puts the scores of a reward model on a known scale, so that a KL coefficient means the
/// same for every reward model (Ziegler et al. 2019, arXiv:1909.08593, section 2.2: mean 0, standard deviation 1 over
/// samples of the starting policy).
struct Standardized {
  double gain = 1.0;
  double bias = 0.0;

  double operator()(double head) const { return gain * head + bias; }

  /// Gain and bias that give `head` (raw outputs, in no order) the wanted mean and population standard deviation.
  /// Throws rlhf::Error when there are fewer than two values, one is not finite, or all are equal.
  static Standardized fit(std::span<const double> head, double mean = 0.0, double deviation = 1.0);
};

}  // namespace rlhf::rewards
