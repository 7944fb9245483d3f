#include "rlhf/control/demonstrations.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "rlhf/core/error.h"

namespace rlhf::control {

void require_recorded_in(const environments::Spec& spec, const data::Trajectory& trajectory) {
  if (trajectory.spec == environments::hash_of(spec)) return;
  throw Error({.category = Category::check,
               .where = "demonstration in " + trajectory.environment,
               .what = "it was recorded in an environment with other settings or another version",
               .fix = "Record it in the environment that the agent plays: what is seen has to be the same."});
}

Shown shown_in(const environments::Spec& spec, std::span<const data::Trajectory> trajectories) {
  if (trajectories.empty())
    throw Error({.category = Category::usage,
                 .where = "demonstrations",
                 .what = "there is none",
                 .fix = "Record some: rlhf env record " + spec.name});
  std::vector<Tensor> seen, done;
  for (const auto& each : trajectories) {
    require_recorded_in(spec, each);
    seen.push_back(environments::stacked(spec, std::span(each.observations).first(each.actions.size())));
    done.push_back(environments::stacked(each.actions));
  }
  return {at::cat(seen), at::cat(done)};
}

Shown operator+(const Shown& some, const Shown& more) {
  return {at::cat({some.observations, more.observations}), at::cat({some.actions, more.actions})};
}

environments::Policy policy_of(const models::ActorCritic& agent, const environments::Spec& spec) {
  return [&agent, spec](const data::Array& seen, Random&) -> data::Action {
    const at::NoGradGuard no_gradient;
    const auto one = environments::stacked(spec, std::span(&seen, 1));
    const auto action = agent.within_bounds(models::mode(agent.policy(agent.encode()(one)))).contiguous();
    if (std::holds_alternative<environments::Discrete>(spec.action)) return action.item<std::int64_t>();
    return std::vector<float>(action.const_data_ptr<float>(), action.const_data_ptr<float>() + action.numel());
  };
}

}  // namespace rlhf::control
