#include "recipes/deep_rl_from_human_preferences/recipe.h"

#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <algorithm>

#include "recipes/arms.h"
#include "recipes/deep_rl_from_human_preferences/config.h"
#include "recipes/deep_rl_from_human_preferences/pebble.h"
#include "recipes/learnt_reward.h"
#include "rlhf/control/film.h"
#include "rlhf/core/clock.h"

namespace rlhf::recipes {
namespace human_preferences {
extern const std::string_view smoke_toml, small_toml, spin_toml, pebble_toml, audit_toml, hopper_toml, pong_toml,
    expected_json;
}
namespace {

constexpr const char* frozen_model = "frozen_reward.safetensors";

control::PpoHooks constant_reward() {
  return {.reward = [](const control::Rollout& rollout) { return at::zeros_like(rollout.rewards); }};
}

/// What the reward model pays for what the agent does, and for anything: what an audit measures against.
void leave_frozen(const PreferencesRecipeConfig& config, const control::Preferences& preferences,
                  const models::ActorCritic& agent, const environments::EnvironmentTable& table, Run& run) {
  const auto environments = config.world.make(table, config.audit.envs);
  const auto standing = [&](const control::Act& act) {
    return control::standing_of(*environments, act, preferences.source(), config.audit.steps,
                                derive(config.preferences.seed, {hash("audit")}));
  };
  control::freeze(run.folder() / frozen_model, preferences,
                  {.any = standing(control::any_action(environments->spec(), config.preferences.seed)),
                   .online = standing(control::greedy(agent))});
}

/// Another agent from scratch, on a reward model that no longer changes.
nlohmann::json retrain(const PreferencesRecipeConfig& config, const std::filesystem::path& file,
                       models::ActorCritic& agent, const environments::EnvironmentTable& table, Run& run) {
  const auto environments = config.world.make(table, config.ppo.envs);
  const control::FrozenReward frozen(file, environments->spec(), config.preferences);
  const auto per_rollout = config.ppo.envs * config.ppo.steps;
  control::Audit audit(frozen, config.world.make(table, config.audit.envs), config.audit,
                       run.first_step() * per_rollout, run);
  auto hooks = frozen.hooks();
  const auto total = config.ppo.rollouts(), every = std::max<std::int64_t>(1, total / config.audit.looks);
  hooks.after = [&](std::int64_t index, const control::Rollout&) {
    if ((index + 1) % every == 0 || index + 1 == total) audit.look((index + 1) * per_rollout, control::greedy(agent));
  };
  train(agent, *environments, config.ppo, hooks, run);
  return audit.result().to_json();
}

/// The paper's loop, once: first labels, then acting, asking and refitting in turns. `frozen` is the reward model of
/// the arm that this one retrains on.
std::optional<nlohmann::json> run_arm(const PreferencesRecipeConfig& config, const std::string& arm,
                                      const std::filesystem::path& frozen, const environments::EnvironmentTable& table,
                                      Run& run) {
  const double begin = steady_seconds();
  const auto environments = config.world.make(table, config.ppo.envs);
  const auto& spec = environments->spec();
  models::ActorCritic agent(spec, config.agent);
  nlohmann::json numbers = nlohmann::json::object();
  if (!retrained_from(arm).empty()) {
    numbers = retrain(config, frozen, agent, table, run);
  } else if (arm == "true_reward" || arm == "constant") {
    train(agent, *environments, config.ppo, arm == "constant" ? constant_reward() : control::PpoHooks{}, run);
  } else {
    control::Preferences preferences(environments::make_environment(table, spec.name, spec.settings), spec,
                                     config.preferences, config.ppo.total_steps, run);
    preferences.begin(*config.world.make(table, config.ppo.envs), agent, config.ppo);
    train(agent, *environments, config.ppo, preferences.hooks(), run);
    numbers["accuracy"] = preferences.test_accuracy();
    numbers["labels"] = preferences.labels();
    if (!run.stop_requested()) {
      write_learnt_reward(preferences, run);
      leave_frozen(config, preferences, agent, table, run);
    }
  }
  if (run.stop_requested()) return std::nullopt;
  const auto examined = config.world.for_evaluation();
  const auto fresh = examined.make(table, config.evaluate);
  const auto seed = derive(config.ppo.seed, {hash("evaluation")});
  numbers["return"] = control::mean(control::play(*fresh, control::greedy(agent), config.evaluate, seed));
  control::film(*examined.make(table, 1), *examined.make_one(table), control::greedy(agent), seed,
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
    if (const auto exploited = arms.values(arm, "exploited"); !exploited.empty())
      results[arm + "_exploited_seeds"] = std::count(exploited.begin(), exploited.end(), 1.0);
  }
}

void run_recipe(const PreferencesRecipeConfig& config, Run& run) {
  const auto table = environments::builtin_environments();
  const ArmsPlan plan{.arms = config.arms,
                      .seeds = config.seeds,
                      .first_seed = config.seed,
                      .jobs = config.people ? 1 : config.jobs,  // people answer one run at a time
                      .aloud = config.people,
                      .afterwards = [](const std::string& arm) { return !retrained_from(arm).empty(); }};
  const auto arms = run_arms(
      plan, run, [&](const auto& arm, auto seed) { auto own = arm_of(config, arm, seed); return to_toml(own); },
      [&](const auto& arm, auto seed, Run& part) {
        const auto own = arm_of(config, arm, seed);
        const auto frozen = arm_folder(run, retrained_from(arm), seed) / frozen_model;
        return is_sac_arm(arm) ? run_sac_arm(own, arm, table, part) : run_arm(own, arm, frozen, table, part);
      });
  if (!arms) return;
  gather_audits(plan, run);
  nlohmann::json results;
  for (const char* number : {"return", "accuracy", "predicted", "earned"}) arms->add_to(results, number);
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
                      {"pebble", human_preferences::pebble_toml},
                      {"audit", human_preferences::audit_toml},
                      {"hopper", human_preferences::hopper_toml},
                      {"pong", human_preferences::pong_toml}},
          .expected = human_preferences::expected_json,
          .make = [] { return std::make_unique<DeepRlFromHumanPreferences>(); }};
}

}  // namespace rlhf::recipes
