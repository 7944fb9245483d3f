#pragma once
#include <memory>

#include "rlhf/algorithms/optimizer.h"

namespace rlhf::control {

/// Adam that clips no gradient, as the papers of agents with critics have it.
inline std::unique_ptr<algorithms::AdamW> plain_adam(algorithms::NamedParameters weights) {
  return std::make_unique<algorithms::AdamW>(std::move(weights), algorithms::AdamConfig{.max_grad_norm = 0});
}

/// One step down the gradient of a loss [].
inline void descend(algorithms::AdamW& optimizer, const Tensor& loss, double learning_rate) {
  optimizer.zero_grad();
  loss.backward();
  optimizer.step(learning_rate);
}

}  // namespace rlhf::control
