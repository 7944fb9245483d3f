#pragma once
#include "rlhf/models/network.h"

namespace rlhf::models {

/// Convolutions for pictures [channels, height, width] of at least 36 x 36, narrow ones 43 x 43; see Architecture.
std::unique_ptr<Network> make_convolutional(Architecture architecture, const std::vector<std::int64_t>& seen,
                                            std::int64_t outputs, double output_gain, std::uint64_t seed);

}  // namespace rlhf::models
