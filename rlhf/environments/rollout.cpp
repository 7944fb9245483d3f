#include "rlhf/environments/rollout.h"

#include <utility>

namespace rlhf::environments {

data::Trajectory roll_out(Environment& environment, const Policy& policy, std::uint64_t seed,
                          const RolloutOptions& options) {
  data::Trajectory trajectory{.environment = environment.spec().name,
                              .spec = hash_of(environment.spec()),
                              .seed = seed,
                              .policy_version = options.policy_version};
  const bool keep_states = options.keep_states && environment.spec().can.state;
  Random random(derive(seed, {hash("rollout.policy")}));
  trajectory.observations.push_back(environment.reset(seed).observation);
  if (keep_states) trajectory.states.push_back(environment.state());
  if (options.watch) options.watch(environment);
  for (std::int64_t t = 0; t < options.max_steps && !trajectory.terminated && !trajectory.truncated; ++t) {
    trajectory.actions.push_back(policy(trajectory.observations.back(), random));
    auto step = environment.step(trajectory.actions.back());
    trajectory.observations.push_back(std::move(step.observation));
    trajectory.rewards.push_back(step.reward);
    if (keep_states) trajectory.states.push_back(environment.state());
    if (options.watch) options.watch(environment);
    trajectory.terminated = step.terminated;
    trajectory.truncated = step.truncated;
  }
  return trajectory;
}

}  // namespace rlhf::environments
