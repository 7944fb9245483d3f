#include "recipes/atari_preferences_demos/recipe.h"

#include <fmt/format.h>

#include <algorithm>

#include "recipes/arms.h"
#include "recipes/atari_preferences_demos/study.h"
#include "recipes/config_job.h"

namespace rlhf::recipes {
namespace preferences_demos {
extern const std::string_view smoke_toml, small_toml, expected_json;
}
namespace {

nlohmann::json results_of(const ArmsResult& runs) {
  nlohmann::json results;
  for (const char* number : {"success", "return", "accuracy", "labels", "predicted", "earned"})
    runs.add_to(results, number);
  if (runs.has("demos_prefs")) {
    const double both = runs.mean("demos_prefs", "success");
    for (const auto& [arm, each] : runs.runs) results["demos_prefs_over_" + arm] = both - runs.mean(arm, "success");
  }
  for (const auto& [arm, each] : runs.runs)
    if (const auto exploited = runs.values(arm, "exploited"); !exploited.empty())
      results[arm + "_exploited_seeds"] = std::count(exploited.begin(), exploited.end(), 1.0);
  return results;
}

void run_recipe(const DemosRecipeConfig& config, Run& run) {
  const auto settings = [&](const std::string& arm, std::uint64_t seed) { return to_toml(arm_of(config, arm, seed)); };
  const auto one = [&](const std::string& arm, std::uint64_t seed, Run& part) {
    const auto frozen = arm_folder(run, "demos_prefs", seed) / "frozen_reward.safetensors";
    return run_demos_arm(arm_of(config, arm, seed), arm, frozen, part);
  };
  const ArmsPlan plan{.arms = config.arms,
                      .seeds = config.seeds,
                      .first_seed = config.seed,
                      .jobs = config.people ? 1 : config.jobs,  // people answer one run at a time
                      .aloud = config.people,
                      .afterwards = retrains};
  const auto runs = run_arms(plan, run, settings, one);
  if (!runs) return;
  gather_audits(plan, run);
  const auto results = results_of(*runs);
  for (const auto& arm : config.arms) {
    const auto success = runs->interval(arm, "success");
    run.note(fmt::format("{:<12} treasure in {:5.1f} % [{:.1f}, {:.1f}] of the rounds", arm, 100 * success.mean,
                         100 * success.low, 100 * success.high));
  }
  run.write_file("results.json", results.dump(2) + "\n");
}

}  // namespace

Recipe atari_preferences_demos() {
  return {.title = "Reward Learning from Human Preferences and Demonstrations in Atari (Ibarz et al. 2018)",
          .claim = "Demonstrations and comparisons together teach more than either alone, and a reward model that no "
                   "longer changes is exploited.",
          .presets = {{"smoke", preferences_demos::smoke_toml}, {"small", preferences_demos::small_toml}},
          .expected = preferences_demos::expected_json,
          .make = job_of(run_recipe)};
}

}  // namespace rlhf::recipes
