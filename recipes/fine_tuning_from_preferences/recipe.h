#pragma once
#include "recipes/recipe.h"

namespace rlhf::recipes {

/// Ziegler et al. 2019, "Fine-Tuning Language Models from Human Preferences" (arXiv:1909.08593).
Recipe fine_tuning_from_preferences();

}  // namespace rlhf::recipes
