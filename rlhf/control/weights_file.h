#pragma once
#include <filesystem>

#include "rlhf/models/network.h"

namespace rlhf::control {

/// An agent's weights as <folder>/agent.safetensors, and back in place. Reading throws rlhf::Error (bad_data) for
/// weights that are missing or of another shape.
void write_weights(const std::filesystem::path& folder, const models::NamedWeights& weights);
void read_weights(const std::filesystem::path& folder, const models::NamedWeights& weights);

}  // namespace rlhf::control
