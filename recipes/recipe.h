#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "rlhf/algorithms/job.h"

namespace rlhf::recipes {

/// A paper, end to end. What the command line runs is a Job like any algorithm's, which a recipe adds to: what it
/// claims, and presets.
struct Recipe {
  std::string title;                                // the paper
  std::string claim;                                // its headline, in one sentence
  std::map<std::string, std::string_view> presets;  // name -> TOML: only what differs from the defaults
  std::string_view expected;                        // expected.json: preset -> result -> {"min", "max"}
  std::function<std::unique_ptr<algorithms::Job>()> make;
};

/// By name. A value that a user's own program extends and passes on.
using RecipeTable = std::map<std::string, Recipe>;
RecipeTable builtin_recipes();

/// Throws rlhf::Error naming the nearest known name.
const Recipe& find_recipe(const RecipeTable& table, const std::string& name);

/// One line of a check: what was promised and what came out.
struct Check {
  std::string name;
  double value = 0;
  std::optional<double> min, max;
  bool passed = false;
};

/// {"name", "value", "min", "max", "passed"}, a bound that there is not being null: a row of promises.json.
nlohmann::json to_json(const Check& check);

/// Compares results.json of a finished run with what `expected` asks of this preset. A missing result has failed.
std::vector<Check> check_results(std::string_view expected, const std::string& preset, const nlohmann::json& results);

}  // namespace rlhf::recipes
