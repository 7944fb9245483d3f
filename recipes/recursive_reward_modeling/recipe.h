#pragma once
#include "recipes/recipe.h"

namespace rlhf::recipes {

Recipe recursive_reward_modeling();

}  // namespace rlhf::recipes
