#pragma once
#include "rlhf/models/network.h"

namespace rlhf::models {

/// Q(s, a) of actions that are numbers. Fully connected: one network reads both side by side. Of pictures, convolutions
/// say 50 numbers, normalised and squashed (Yarats et al. 2019, arXiv:1910.01741, appendix B), and an mlp of the
/// configured hidden layers reads these beside the action.
class ActionValue {
 public:
  /// For encoded observations of shape `seen` and actions of so many numbers. Throws rlhf::Error (usage) when the
  /// architecture cannot read that shape.
  ActionValue(const NetworkConfig& config, const std::vector<std::int64_t>& seen, std::int64_t numbers,
              std::uint64_t seed);

  /// encoded [rows, ...] float32, as an Encoder makes it; actions [rows, numbers] -> [rows]
  Tensor operator()(const Tensor& encoded, const Tensor& actions) const;

  /// weights <- weights + share (leader's - weights), where both have the same architecture.
  void follow(const ActionValue& leader, double share);

  NamedWeights weights() const;

 private:
  std::unique_ptr<Network> eyes_;  // null where one network reads all
  std::unique_ptr<Network> value_;
};

}  // namespace rlhf::models
