#pragma once
#include <span>

#include "rlhf/data/trajectory.h"
#include "rlhf/environments/rollout.h"
#include "rlhf/environments/vector.h"
#include "rlhf/models/actor_critic.h"

namespace rlhf::control {

/// Throws rlhf::Error (check) for a trajectory of another spec: what was seen then is not what is seen here.
void require_recorded_in(const environments::Spec& spec, const data::Trajectory& trajectory);

/// What was seen and what was done then, without order.
struct Shown {
  Tensor observations;  // [steps, ...] as the environment gives them
  Tensor actions;       // [steps] or [steps, numbers]

  std::int64_t steps() const { return actions.size(0); }
  Shown at(const Tensor& rows) const { return {observations.index_select(0, rows), actions.index_select(0, rows)}; }
};

/// The steps of these episodes; the observations after the last steps are left out. Throws rlhf::Error (usage) when
/// there is none, (check) for another spec.
Shown shown_in(const environments::Spec& spec, std::span<const data::Trajectory> trajectories);

Shown operator+(const Shown& some, const Shown& more);

/// An agent that plays a single environment: the likeliest action, within the bounds. The agent has to outlive it.
environments::Policy policy_of(const models::ActorCritic& agent, const environments::Spec& spec);

}  // namespace rlhf::control
