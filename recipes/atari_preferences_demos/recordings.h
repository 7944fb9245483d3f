#pragma once
#include <vector>

#include "recipes/atari_preferences_demos/config.h"
#include "rlhf/data/trajectory.h"

namespace rlhf::recipes {

/// The rounds of the file that `recordings` names, as demonstrations for the recipe's endless world: with states, and
/// without an end. They may have been played there or in the same world one round at a time. The file holds no states;
/// they come from repeating each round from its seed.
///
/// Throws rlhf::Error: (usage) when the file holds no round; (check) for a round of other settings, or one whose
/// actions don't lead to what was seen; and what data::read_trajectories throws.
std::vector<data::Trajectory> recorded_rounds(const DemosRecipeConfig& config);

}  // namespace rlhf::recipes
