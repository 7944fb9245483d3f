#pragma once
#include "recipes/recipe.h"

namespace rlhf::recipes {

Recipe deep_rl_from_human_preferences();

}  // namespace rlhf::recipes
