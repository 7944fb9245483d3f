#pragma once
#include <cstdint>

#include "rlhf/models/language_model.h"

namespace rlhf::models {

/// Weights for training from nothing: norms 1, biases 0, everything else normal with this standard deviation. Keyed by
/// (seed, name), so that a model's weights do not depend on the order in which it asks for them.
WeightSource random_weights(std::uint64_t seed, double deviation = 0.02);

}  // namespace rlhf::models
