#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "recipes/deep_rl_from_human_preferences/config.h"

namespace rlhf::recipes {

/// Arms whose agent is SAC, which remembers what it did and is given the present reward model's opinion of it:
///
///   sac_true            the environment's own reward
///   pebble              PEBBLE (Lee et al. 2021, arXiv:2106.05091): it explores before the first question
///   pebble_no_explore   the same without exploring; first questions are about an untrained policy
bool is_sac_arm(const std::string& arm);

/// One run; its return, and of the reward model labels and accuracy. Nothing when the run was asked to stop.
std::optional<nlohmann::json> run_sac_arm(const PreferencesRecipeConfig& config, const std::string& arm,
                                          const environments::EnvironmentTable& table, Run& run);

}  // namespace rlhf::recipes
