#pragma once
#include <functional>

#include "rlhf/core/seed.h"
#include "rlhf/environments/environment.h"

namespace rlhf::environments {

/// Chooses an action; all chance comes from `random`.
using Policy = std::function<Action(const Array& observation, Random& random)>;

struct RolloutOptions {
  std::int64_t max_steps = 10000;   // stop here, whatever the environment's own limit is; then neither flag is set
  std::int64_t policy_version = 0;  // written into the trajectory
  bool keep_states = true;          // where the environment can save them
  std::function<void(const Environment& environment)> watch = {};  // at the start and after each step
};

/// Plays one episode. The start and the policy's chance are functions of `seed`.
data::Trajectory roll_out(Environment& environment, const Policy& policy, std::uint64_t seed,
                          const RolloutOptions& options = {});

}  // namespace rlhf::environments
