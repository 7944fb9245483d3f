#pragma once
#include "rlhf/algorithms/optimizer.h"

namespace rlhf::algorithms {

struct RmsPropConfig {
  double decay = 0.99;         // of the mean squared gradient
  double epsilon = 1e-5;       // added to it
  double max_grad_norm = 0.5;  // gradients are scaled down to this norm over all parameters; 0 = never

  void fields(Fields& f);
  void validate() const;
};

/// RMSProp as TensorFlow has it, which A2C's published results used: epsilon inside the root, the mean square begins at
/// 1. PyTorch's puts epsilon outside and begins at 0, so that its first steps are ten times as long.
///
///   v <- decay v + (1 - decay) g^2,   weight <- weight - learning_rate g / sqrt(v + epsilon)
class RmsProp {
 public:
  /// Throws rlhf::Error when there is nothing to train.
  RmsProp(NamedParameters parameters, const RmsPropConfig& config);

  /// One update; returns the gradient norm before clipping. Throws rlhf::Error when a gradient is not finite; nothing
  /// has changed then.
  double step(double learning_rate);
  void zero_grad();
  std::int64_t steps() const { return steps_; }

  void save(State& state, const std::string& prefix) const;
  void restore(const State& state, const std::string& prefix);

 private:
  NamedParameters parameters_;
  std::vector<Tensor> squares_;
  RmsPropConfig config_;
  std::int64_t steps_ = 0;
};

}  // namespace rlhf::algorithms
