#pragma once
#include <nlohmann/json.hpp>
#include <optional>

#include "recipes/recursive_reward_modeling/config.h"
#include "rlhf/core/run.h"

namespace rlhf::recipes {

/// Accuracy of every condition on the same held-out pairs, uplift and over-reliance against `alone`:
/// "<condition>_right", "_accuracy", "_uplift", "_over_reliance", and "pairs"; "start_truth" of what the pairs are
/// drawn from. by_faults.csv has the right judgements by the faults of the better output.
std::optional<nlohmann::json> measure_assistance(const Subject& subject, const RecursiveConfig& config, Run& part);

}  // namespace rlhf::recipes
