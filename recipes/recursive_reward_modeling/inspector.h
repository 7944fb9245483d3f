#pragma once
#include "recipes/recursive_reward_modeling/subject.h"
#include "rlhf/environments/hazard_map.h"

namespace rlhf::recipes {

/// Routes over a map with hidden hazards (experiment "Inspector"). Everybody sees a route's length; whether a cell is
/// hazardous shows when it is opened.
std::unique_ptr<Subject> make_inspector(const environments::HazardMapConfig& map, std::uint64_t seed);

}  // namespace rlhf::recipes
