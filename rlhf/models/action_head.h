#pragma once
#include "rlhf/environments/environment.h"
#include "rlhf/models/distribution.h"
#include "rlhf/models/network.h"

namespace rlhf::models {

/// What a network's last layer means: values of choices, or the middle of a normal distribution whose spread is learnt
/// and the same in every state.
class ActionHead {
 public:
  /// `log_deviation`: natural logarithm of the spread at first.
  ActionHead(const environments::Spec& spec, double log_deviation);

  std::int64_t outputs() const { return outputs_; }
  Distribution distribution(const Tensor& outputs) const;  // [rows, outputs]

  /// What an environment is sent: actions of a Box are cut to its bounds (the stored ones, which were drawn, are not).
  Tensor within_bounds(const Tensor& actions) const;

  void add_weights(NamedWeights& all) const;  // log_deviation, where there is one

 private:
  std::int64_t outputs_ = 0;
  Tensor log_deviation_;  // [numbers], undefined for choices
  Tensor low_, high_;     // [numbers], of a Box
};

}  // namespace rlhf::models
