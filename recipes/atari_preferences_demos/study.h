#pragma once
#include <optional>

#include "recipes/atari_preferences_demos/config.h"

namespace rlhf::recipes {

/// One run of one arm: an object of numbers, or nothing when it was asked to stop. `frozen`: the file in which
/// demos_prefs leaves its reward model for the arm that retrains on it.
std::optional<nlohmann::json> run_demos_arm(const DemosRecipeConfig& config, const std::string& arm,
                                            const std::filesystem::path& frozen, Run& part);

}  // namespace rlhf::recipes
