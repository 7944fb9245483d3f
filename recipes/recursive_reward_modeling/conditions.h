#pragma once
#include <optional>

#include "recipes/recursive_reward_modeling/config.h"
#include "rlhf/core/run.h"

namespace rlhf::recipes {

/// alone (places by lot), helper, oracle, inverted (a helper against the evaluator), random_hints, oracle_hints,
/// double_budget (no helper, twice the places).
const std::vector<std::string>& assistance_conditions();

/// The condition of that name. `finder` has to outlive it, and to be there where the condition has a helper.
Condition condition_of(const std::string& name, const Subject& subject, const RecursiveConfig& config,
                       const Finder* finder);

/// Where the simulated evaluator's questions in one run of one arm are, and what tells the run to stop.
feedback::Store store_of(const Run& part);
std::function<bool()> stops(const Run& part);

/// The helper, trained; nothing when asked to stop.
std::optional<Finder> trained_finder(const Subject& subject, const RecursiveConfig& config, feedback::Store& store,
                                     Run& part);

/// Two outputs of the policy that demonstrations left, whose true scores differ.
struct OutputPair {
  Output first, second;
};

/// What that policy makes, and pairs of it: `config.heldout` where enough outputs differ.
std::vector<Output> heldout_outputs(const Subject& subject, const RecursiveConfig& config);
std::vector<OutputPair> heldout_pairs(const std::vector<Output>& outputs, const RecursiveConfig& config);

}  // namespace rlhf::recipes
