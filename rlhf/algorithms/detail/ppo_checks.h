#pragma once
#include "rlhf/algorithms/ppo.h"

namespace rlhf::algorithms {

// What PPO insists on before it learns anything. Private to PPO; each throws rlhf::Error.

/// There is a reference, and every hook that is needed.
void require_ready(const PpoModels& models, const PpoHooks& hooks);

/// The reward prefers the known-good sample to the known-bad one.
void require_sign(const PpoConfig& config, const PpoHooks& hooks);

/// Does the policy compute exactly what its reference computes?
bool starts_as_reference(const PpoModels& models);

/// After step 0: before its first update every ratio was 1 and, where the policy started as its reference, the KL was 0.
void require_exact_start(const PpoMetrics& metrics, bool starts_equal);

}  // namespace rlhf::algorithms
