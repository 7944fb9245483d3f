#include <cmath>
#include <limits>

#include "recipes/recipe.h"

namespace rlhf::recipes {

nlohmann::json to_json(const Check& check) {
  const auto number = [](std::optional<double> value) { return value ? nlohmann::json(*value) : nlohmann::json(); };
  return {{"name", check.name},
          {"value", number(check.value)},
          {"min", number(check.min)},
          {"max", number(check.max)},
          {"passed", check.passed}};
}

std::vector<Check> check_results(std::string_view expected, const std::string& preset, const nlohmann::json& results) {
  const auto all = nlohmann::json::parse(expected);
  std::vector<Check> checks;
  if (!all.contains(preset)) return checks;
  for (const auto& [name, bounds] : all[preset].items()) {
    Check check{.name = name, .value = std::numeric_limits<double>::quiet_NaN()};
    if (bounds.contains("min")) check.min = bounds["min"].get<double>();
    if (bounds.contains("max")) check.max = bounds["max"].get<double>();
    if (results.contains(name) && results[name].is_number()) check.value = results[name].get<double>();
    check.passed = !std::isnan(check.value) && check.value >= check.min.value_or(check.value) &&
                   check.value <= check.max.value_or(check.value);
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace rlhf::recipes
