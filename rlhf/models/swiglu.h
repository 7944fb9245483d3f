#pragma once
#include "rlhf/core/tensor.h"

namespace rlhf::models {

/// silu(gate) * up (Shazeer 2020, arXiv:2002.05202, SwiGLU), fused and differentiable. Both [tokens, width], contiguous.
Tensor swiglu(const Tensor& gate, const Tensor& up);

}  // namespace rlhf::models
