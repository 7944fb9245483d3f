#pragma once
#include <vector>

#include "rlhf/models/action_value.h"

namespace rlhf::control {

/// Two critics Q(s, a) of actions that are numbers, and the targets that follow them. What the smaller of two says is
/// learnt from, so that an overestimate does not feed itself (clipped double Q-learning, Fujimoto et al. 2018,
/// arXiv:1802.09477, section 4.2).
///
///   encoded  [rows, ...] float32, as an Encoder makes it
///   actions  [rows, numbers] within ±1
class TwinCritics {
 public:
  /// For encoded observations of shape `seen` and actions of so many numbers.
  TwinCritics(const models::NetworkConfig& config, const std::vector<std::int64_t>& seen, std::int64_t numbers,
              std::uint64_t seed);

  Tensor value(int critic, const Tensor& encoded, const Tensor& actions) const;  // [rows]; critic: 0 or 1
  Tensor least(const Tensor& encoded, const Tensor& actions) const;              // [rows] the smaller of the two
  Tensor least_target(const Tensor& encoded, const Tensor& actions) const;       // [rows] of the targets

  /// mse(Q1, wanted) + mse(Q2, wanted), wanted [rows].
  Tensor loss(const Tensor& encoded, const Tensor& actions, const Tensor& wanted) const;

  /// target <- target + share (critic - target)
  void move_targets(double share);

  models::NamedWeights trained() const;  // of the critics: critic0.*, critic1.*
  models::NamedWeights weights() const;  // target0.* and target1.*, too

 private:
  std::vector<models::ActionValue> critics_, targets_;  // two of each
};

/// The weights of a network, their names behind `prefix`.
void add_weights(models::NamedWeights& all, const std::string& prefix, const auto& network) {
  for (const auto& [name, weight] : network.weights()) all.emplace_back(prefix + name, weight);
}

}  // namespace rlhf::control
