#pragma once
#include "recipes/recipe.h"

namespace rlhf::recipes {

Recipe atari_preferences_demos();

}  // namespace rlhf::recipes
