#pragma once
#include "rlhf/environments/rollout.h"

namespace rlhf::environments {

// Agents without learning, for clips of known quality and for trainers that know the right answer.

/// Balances CartPole for ever: pushes towards the side to which a weighted sum of the four numbers leans.
Action balance_cart_pole(const Array& observation);

/// Walks round the puddles to the bowl of a grid with this many columns.
Action walk_to_bowl(const Array& observation, std::int64_t columns);

/// Pumps energy into the pendulum until it reaches the top, and holds it there.
Action swing_up_pendulum(const Array& observation);

/// Pushes the car the way it moves.
Action rock_mountain_car(const Array& observation);
Action rock_mountain_car_continuous(const Array& observation);

/// Bends the acrobot's joint against the swing of the upper rod.
Action pump_acrobot(const Array& observation);

/// Goes where the ball is, along the longer way first, and stays once it is there.
Action chase_ball(const Array& observation);

/// The one of these that plays the environment of this spec. Throws rlhf::Error (usage) where there is none.
Policy scripted_agent(const Spec& spec);

/// Any action, with equal chances: a choice, or numbers within the bounds. Throws rlhf::Error (usage) where there are
/// no bounds.
Policy random_choice(const Spec& spec);

/// `policy`, but a share of its actions (0..1) is drawn at random: the knob between good and poor.
Policy with_noise(Policy policy, const Spec& spec, double share);

}  // namespace rlhf::environments
