#pragma once
#include "rlhf/models/network.h"

namespace rlhf::models {

/// Fully connected layers with an activation between them. Forward and backward of all layers are one node of the
/// autograd graph: with networks this small, the graph's own upkeep would cost as much as the arithmetic.
class Mlp final : public Network {
 public:
  Mlp(std::int64_t inputs, const NetworkConfig& config, std::int64_t outputs, double output_gain, std::uint64_t seed);

  /// Pictures are read as one row of numbers each.
  Tensor forward(const Tensor& encoded) const override;
  Tensor forward_dropping(const Tensor& encoded, double share, std::uint64_t seed) const override;
  NamedWeights weights() const override;

 private:
  Activation activation_;
  std::vector<Tensor> weights_, biases_;  // [outputs, inputs], [outputs] of each layer
};

}  // namespace rlhf::models
