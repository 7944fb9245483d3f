#pragma once
#include <functional>

#include "rlhf/core/tensor.h"

namespace rlhf::models {

/// Runs `layer` without keeping its activations and runs it again in the backward pass (Chen et al. 2016,
/// arXiv:1604.06174). Memory: one input a layer; price: one more forward. Gradients of the weights that `layer` uses
/// arrive in them as they would without it. `layer` must give the same output for the same input.
Tensor recompute(const std::function<Tensor(const Tensor&)>& layer, const Tensor& input);

}  // namespace rlhf::models
