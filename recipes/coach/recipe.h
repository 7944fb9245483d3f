#pragma once
#include "recipes/recipe.h"

namespace rlhf::recipes {

Recipe coach();

}  // namespace rlhf::recipes
