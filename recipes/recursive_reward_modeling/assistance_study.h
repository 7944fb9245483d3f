#pragma once
#include <nlohmann/json.hpp>
#include <optional>

#include "recipes/arms.h"
#include "recipes/recursive_reward_modeling/config.h"

namespace rlhf::recipes {

/// Makes the subject of a study for one seed.
using MakeSubject = std::function<std::unique_ptr<Subject>(const RecursiveConfig& config)>;

/// alone (places by lot), helper, oracle, inverted (a helper against the evaluator), random_hints, oracle_hints,
/// double_budget (no helper, twice the places).
const std::vector<std::string>& assistance_conditions();

/// Two outputs of the policy that demonstrations left, whose true scores differ.
struct OutputPair {
  Output first, second;
};
std::vector<OutputPair> heldout_pairs(const Subject& subject, const RecursiveConfig& config);

/// Accuracy of every condition on the same held-out pairs, uplift and over-reliance against `alone`:
/// "<condition>_right", "_pairs", "_accuracy", "_uplift", "_over_reliance".
std::optional<nlohmann::json> measure_assistance(const Subject& subject, const RecursiveConfig& config, Run& part);

/// A_2 trained on the judgements of one condition: "truth" at the end; where it is audited, "frozen_truth",
/// "frozen_predicted_gain", "frozen_drop" and best-of-N.
std::optional<nlohmann::json> train_under(const Subject& subject, const Condition& condition,
                                          const RecursiveConfig& config, Run& part);

/// train_under for a condition of assistance_conditions(); trains the helper where there is one.
std::optional<nlohmann::json> train_under(const Subject& subject, const std::string& condition,
                                          const RecursiveConfig& config, Run& part);

/// The helper, trained; nothing when asked to stop.
std::optional<Finder> trained_finder(const Subject& subject, const RecursiveConfig& config, feedback::Store& store,
                                     Run& part);

}  // namespace rlhf::recipes
