#pragma once
#include "rlhf/algorithms/table.h"
#include "rlhf/environments/table.h"

namespace rlhf::control {

/// control_ppo, dqn, sac, td3: what `rlhf train` runs in environments, with those that its settings may name.
algorithms::AlgorithmTable builtin_algorithms(
    environments::EnvironmentTable environments = environments::builtin_environments());

}  // namespace rlhf::control
