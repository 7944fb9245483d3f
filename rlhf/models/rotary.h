#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "rlhf/core/tensor.h"

namespace rlhf::models {

/// Cosines and sines of every (position, frequency) of a batch; undefined tensors mean that the model has no rotary embedding.
struct RotaryTable {
  Tensor cosines;  // [tokens, head_dim / 2]
  Tensor sines;    // [tokens, head_dim / 2]
};

/// Rotary position embedding (Su et al. 2021, arXiv:2104.09864) with the scalings that published checkpoints use.
class Rotary {
 public:
  /// Reads rope_theta and rope_scaling, or rope_parameters (the newer form), from a config.json: default, linear, llama3
  /// (Llama 3.1), yarn (Peng et al. 2023, arXiv:2309.00071). Throws rlhf::Error for a type it does not know.
  static Rotary from_config(const nlohmann::json& config, std::int64_t head_dim);

  RotaryTable at(const Tensor& positions) const;

  const std::vector<double>& frequencies() const { return frequencies_; }  // [head_dim / 2], radians a token

 private:
  std::vector<double> frequencies_;
  double magnitude_ = 1.0;  // yarn multiplies cosines and sines by it
};

}  // namespace rlhf::models
