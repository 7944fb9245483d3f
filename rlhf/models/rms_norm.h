#pragma once
#include "rlhf/core/tensor.h"

namespace rlhf::models {

/// Root-mean-square norm over the last dimension (Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4), fused and differentiable.
///
///   input   [..., width], contiguous float32
///   weight  [width]
Tensor rms_norm(const Tensor& input, const Tensor& weight, double eps);

}  // namespace rlhf::models
