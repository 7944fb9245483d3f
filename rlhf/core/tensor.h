#pragma once
#include <ATen/core/Tensor.h>

namespace rlhf {

using Tensor = at::Tensor;

}  // namespace rlhf
