#pragma once
#include <nlohmann/json.hpp>
#include <optional>

#include "recipes/recursive_reward_modeling/config.h"
#include "rlhf/core/run.h"

namespace rlhf::recipes {

/// A_2 trained on the judgements of one condition: "truth" at the end; where it is audited, "frozen_truth",
/// "frozen_predicted_gain", "frozen_peak" and best-of-N.
std::optional<nlohmann::json> train_under(const Subject& subject, const Condition& condition,
                                          const RecursiveConfig& config, Run& part);

/// train_under for a condition of assistance_conditions(); trains the helper where there is one.
std::optional<nlohmann::json> train_under(const Subject& subject, const std::string& condition,
                                          const RecursiveConfig& config, Run& part);

}  // namespace rlhf::recipes
