#pragma once
#include "recipes/recipe.h"

namespace rlhf::recipes {

Recipe deep_tamer();

}  // namespace rlhf::recipes
