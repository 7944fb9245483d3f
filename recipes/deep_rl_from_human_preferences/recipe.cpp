#include "recipes/deep_rl_from_human_preferences/recipe.h"

#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "recipes/deep_rl_from_human_preferences/config.h"
#include "rlhf/core/clock.h"
#include "rlhf/evaluation/bootstrap.h"

namespace rlhf::recipes {
namespace human_preferences {
extern const std::string_view smoke_toml, small_toml, spin_toml, expected_json;
}
namespace {

/// What one run of one arm came to.
struct ArmResult {
  double mean_return = 0;    // of the environment's own reward
  double test_accuracy = 0;  // share of pairs, never asked about, that the reward model orders rightly; NaN without one
  double labels = 0, seconds = 0;

  nlohmann::json to_json() const {
    return {{"mean_return", mean_return}, {"test_accuracy", test_accuracy}, {"labels", labels}, {"seconds", seconds}};
  }
};

control::PpoHooks constant_reward() {
  return {.reward = [](const control::Rollout& rollout) { return at::zeros_like(rollout.rewards); }};
}

/// The paper's loop, once: first labels, then acting, asking and refitting in turns.
std::optional<ArmResult> run_arm(const PreferencesRecipeConfig& config, const std::string& arm,
                                 const environments::EnvironmentTable& table, Run& run) {
  const double begin = steady_seconds();
  const auto environments = config.world.make(table, config.ppo.envs);
  const auto& spec = environments->spec();
  models::ActorCritic agent(spec, config.agent);
  ArmResult result{.test_accuracy = std::nan("")};
  if (arm == "true_reward" || arm == "constant") {
    train(agent, *environments, config.ppo, arm == "constant" ? constant_reward() : control::PpoHooks{}, run);
  } else {
    control::Preferences preferences(environments::make_environment(table, spec.name, spec.settings), spec,
                                     config.preferences, config.ppo.total_steps, run);
    preferences.begin(*config.world.make(table, config.ppo.envs), agent, config.ppo);
    train(agent, *environments, config.ppo, preferences.hooks(), run);
    result.test_accuracy = preferences.test_accuracy();
    result.labels = static_cast<double>(preferences.labels());
  }
  if (run.stop_requested()) return std::nullopt;
  const auto fresh = config.world.make(table, config.evaluate);
  result.mean_return =
      control::mean(control::play(*fresh, control::greedy(agent), config.evaluate, derive(config.ppo.seed, {hash("evaluation")})));
  result.seconds = steady_seconds() - begin;
  return result;
}

/// Finished runs are kept in their own folders: an interrupted recipe goes on where it was.
std::optional<ArmResult> run_or_read(const PreferencesRecipeConfig& config, const std::string& arm, std::int64_t seed,
                                     const environments::EnvironmentTable& table, Run& run) {
  const auto folder = run.folder() / "arms" / fmt::format("{}-{}", arm, config.seed + static_cast<std::uint64_t>(seed));
  if (std::ifstream file(folder / "results.json"); file) {
    const auto stored = nlohmann::json::parse(file);
    const auto accuracy = stored.at("test_accuracy");
    return ArmResult{stored.at("mean_return"), accuracy.is_null() ? std::nan("") : accuracy.get<double>(), stored.at("labels"),
                     stored.at("seconds")};
  }
  const auto own = arm_of(config, arm, seed);
  Run part({.folder = folder, .resume = true, .keep_checkpoints = 1, .stop_requested = [&] { return run.stop_requested(); }},
           to_toml(own), {{"algorithm", "control_ppo"}, {"arm", arm}});
  const auto result = run_arm(own, arm, table, part);
  if (!result) return std::nullopt;
  part.write_file("results.json", result->to_json().dump(2) + "\n");
  return result;
}

struct ArmSummary {
  evaluation::Interval mean_return;
  double test_accuracy = 0;
};

ArmSummary summary_of(const std::vector<ArmResult>& runs) {
  std::vector<double> returns, accuracies;
  std::vector<std::string> each;
  for (const auto& one : runs) {
    returns.push_back(one.mean_return);
    accuracies.push_back(one.test_accuracy);
    each.push_back(std::to_string(each.size()));
  }
  return {evaluation::bootstrap_mean(returns, each), control::mean(accuracies)};
}

void add_results(nlohmann::json& results, const std::string& arm, const ArmSummary& summary) {
  results[arm + "_return"] = summary.mean_return.mean;
  results[arm + "_low"] = summary.mean_return.low;
  results[arm + "_high"] = summary.mean_return.high;
  if (!std::isnan(summary.test_accuracy)) results[arm + "_accuracy"] = summary.test_accuracy;
}

void run_recipe(const PreferencesRecipeConfig& config, Run& run) {
  const auto table = environments::builtin_environments();
  std::map<std::string, ArmSummary> summaries;
  nlohmann::json results;
  for (const auto& arm : config.arms) {
    std::vector<ArmResult> runs;
    for (std::int64_t seed = 0; seed < config.seeds; ++seed) {
      const auto one = run_or_read(config, arm, seed, table, run);
      if (!one) return;
      runs.push_back(*one);
    }
    const auto summary = summaries[arm] = summary_of(runs);
    add_results(results, arm, summary);
    run.note(fmt::format("{:<14} return {:8.2f} [{:.2f}, {:.2f}] over {} seeds{}", arm, summary.mean_return.mean,
                         summary.mean_return.low, summary.mean_return.high, config.seeds,
                         std::isnan(summary.test_accuracy) ? "" : fmt::format(", orders {:.1f} % of new pairs", 100 * summary.test_accuracy)));
  }
  if (const auto best = summaries.find("true_reward"); best != summaries.end())
    for (const auto& [arm, summary] : summaries)
      results[arm + "_share"] = summary.mean_return.mean / best->second.mean_return.mean;
  if (summaries.contains("labels"))
    for (const auto& [arm, summary] : summaries)
      results["labels_over_" + arm] = summaries["labels"].mean_return.mean - summary.mean_return.mean;
  run.write_file("results.json", results.dump(2) + "\n");
}

class DeepRlFromHumanPreferences final : public algorithms::Job {
 public:
  void fields(Fields& f) override { config_.fields(f); }
  void run(Run& run) override {
    config_.validate();
    run_recipe(config_, run);
  }

 private:
  PreferencesRecipeConfig config_;
};

}  // namespace

Recipe deep_rl_from_human_preferences() {
  return {.title = "Deep Reinforcement Learning from Human Preferences (Christiano et al. 2017)",
          .claim = "A few hundred comparisons of short clips teach an agent what its reward function would have, and they have "
                   "to be asked for while it learns.",
          .presets = {{"smoke", human_preferences::smoke_toml},
                      {"small", human_preferences::small_toml},
                      {"spin", human_preferences::spin_toml}},
          .expected = human_preferences::expected_json,
          .make = [] { return std::make_unique<DeepRlFromHumanPreferences>(); }};
}

}  // namespace rlhf::recipes
