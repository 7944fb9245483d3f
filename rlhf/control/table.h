#pragma once
#include "rlhf/algorithms/table.h"
#include "rlhf/environments/table.h"

namespace rlhf::control {

/// control_ppo, recurrent_ppo, a2c, dqn, sac, td3, caql, cql, discrete_cql, bc, dagger, gail: what `rlhf train` runs in
/// environments, with those that its settings may name.
algorithms::AlgorithmTable builtin_algorithms(
    environments::EnvironmentTable environments = environments::builtin_environments());

}  // namespace rlhf::control
