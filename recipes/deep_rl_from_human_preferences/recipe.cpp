#include "recipes/deep_rl_from_human_preferences/recipe.h"

#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include "recipes/arms.h"
#include "recipes/deep_rl_from_human_preferences/config.h"
#include "recipes/deep_rl_from_human_preferences/pebble.h"
#include "rlhf/control/film.h"
#include "rlhf/core/clock.h"

namespace rlhf::recipes {
namespace human_preferences {
extern const std::string_view smoke_toml, small_toml, spin_toml, pebble_toml, expected_json;
}
namespace {

control::PpoHooks constant_reward() {
  return {.reward = [](const control::Rollout& rollout) { return at::zeros_like(rollout.rewards); }};
}

/// The paper's loop, once: first labels, then acting, asking and refitting in turns.
std::optional<nlohmann::json> run_arm(const PreferencesRecipeConfig& config, const std::string& arm,
                                      const environments::EnvironmentTable& table, Run& run) {
  const double begin = steady_seconds();
  const auto environments = config.world.make(table, config.ppo.envs);
  const auto& spec = environments->spec();
  models::ActorCritic agent(spec, config.agent);
  nlohmann::json numbers;
  if (arm == "true_reward" || arm == "constant") {
    train(agent, *environments, config.ppo, arm == "constant" ? constant_reward() : control::PpoHooks{}, run);
  } else {
    control::Preferences preferences(environments::make_environment(table, spec.name, spec.settings), spec,
                                     config.preferences, config.ppo.total_steps, run);
    preferences.begin(*config.world.make(table, config.ppo.envs), agent, config.ppo);
    train(agent, *environments, config.ppo, preferences.hooks(), run);
    numbers["accuracy"] = preferences.test_accuracy();
    numbers["labels"] = preferences.labels();
  }
  if (run.stop_requested()) return std::nullopt;
  const auto fresh = config.world.make(table, config.evaluate);
  const auto seed = derive(config.ppo.seed, {hash("evaluation")});
  numbers["return"] = control::mean(control::play(*fresh, control::greedy(agent), config.evaluate, seed));
  control::film(*config.world.make(table, 1), *config.world.make_one(table), control::greedy(agent), seed,
                run.folder() / "agent.png");
  numbers["seconds"] = steady_seconds() - begin;
  return numbers;
}

/// How the arms compare: shares of the return under the true reward, and how far the method is ahead of each.
void add_comparisons(nlohmann::json& results, const ArmsResult& arms) {
  for (const auto& [arm, runs] : arms.runs) {
    const double mean = arms.mean(arm, "return");
    if (arms.has("true_reward")) results[arm + "_share"] = mean / arms.mean("true_reward", "return");
    if (arms.has("labels")) results["labels_over_" + arm] = arms.mean("labels", "return") - mean;
  }
}

void run_recipe(const PreferencesRecipeConfig& config, Run& run) {
  const auto table = environments::builtin_environments();
  const ArmsPlan plan{.arms = config.arms,
                      .seeds = config.seeds,
                      .first_seed = config.seed,
                      .jobs = config.people ? 1 : config.jobs};  // people answer one run at a time
  const auto arms = run_arms(
      plan, run, [&](const auto& arm, auto seed) { auto own = arm_of(config, arm, seed); return to_toml(own); },
      [&](const auto& arm, auto seed, Run& part) {
        const auto own = arm_of(config, arm, seed);
        return is_sac_arm(arm) ? run_sac_arm(own, arm, table, part) : run_arm(own, arm, table, part);
      });
  if (!arms) return;
  nlohmann::json results;
  for (const char* number : {"return", "accuracy"}) arms->add_to(results, number);
  add_comparisons(results, *arms);
  for (const auto& arm : config.arms) {
    const auto over_seeds = arms->interval(arm, "return");
    run.note(fmt::format("{:<14} return {:8.2f} [{:.2f}, {:.2f}] over {} seeds", arm, over_seeds.mean, over_seeds.low,
                         over_seeds.high, config.seeds));
  }
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
                      {"spin", human_preferences::spin_toml},
                      {"pebble", human_preferences::pebble_toml}},
          .expected = human_preferences::expected_json,
          .make = [] { return std::make_unique<DeepRlFromHumanPreferences>(); }};
}

}  // namespace rlhf::recipes
