#pragma once
#include "rlhf/core/tensor.h"

namespace rlhf::models {

/// A scalar read from a hidden state: the reward of a completion, or the value of a position.
struct ScalarHead {
  Tensor weight;  // [1, width], Hugging Face name score.weight
  Tensor bias;    // [1], undefined when the head has none

  /// [rows, width] -> [rows].
  Tensor apply(const Tensor& hidden) const;
};

/// All zeros, with bias: how a value head starts (Ziegler et al. 2019, released code).
ScalarHead zero_head(std::int64_t width);

/// Normal with standard deviation 1/sqrt(width + 1), bias 0: how a reward head starts (Ziegler et al. 2019, released code).
ScalarHead reward_head(std::int64_t width, std::uint64_t seed);

}  // namespace rlhf::models
