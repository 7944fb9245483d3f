#pragma once
#include "rlhf/core/seed.h"
#include "rlhf/core/tensor.h"

namespace rlhf::control {

/// [rows, numbers] float32, drawn in order: standard normal ...
Tensor normal_noise(std::int64_t rows, std::int64_t numbers, Random& random);
/// ... and uniform within ±1.
Tensor uniform_noise(std::int64_t rows, std::int64_t numbers, Random& random);

}  // namespace rlhf::control
