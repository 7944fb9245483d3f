#include "recipes/deep_rl_from_human_preferences/pebble.h"

#include "recipes/learnt_reward.h"
#include "rlhf/control/film.h"
#include "rlhf/core/clock.h"

namespace rlhf::recipes {
namespace {

struct Trained {
  std::unique_ptr<control::SacAgent> agent;
  nlohmann::json numbers = nlohmann::json::object();
};

/// SAC on the predicted reward: all it remembers is judged anew after each fit (Lee et al. 2021, algorithm 2).
Trained trained(const PreferencesRecipeConfig& config, const std::string& arm, const environments::EnvironmentTable& table,
                Run& run) {
  const auto environments = config.world.make(table, config.sac.envs);
  const auto& spec = environments->spec();
  if (arm == "sac_true") return {.agent = train_sac(*environments, config.sac, {}, run)};
  control::Preferences preferences(environments::make_environment(table, spec.name, spec.settings), spec,
                                   config.preferences, config.sac.total_steps, run);
  Trained result;
  if (config.preferences.explore == 0) {
    // Clips of somebody who knows nothing: a policy network as it is made.
    const models::ActorCritic untrained(spec, config.agent);
    preferences.begin(*config.world.make(table, config.ppo.envs), untrained, config.ppo);
  }
  result.agent = train_sac(*environments, config.sac, preferences.off_policy_hooks(config.sac_rollout), run);
  if (!run.stop_requested()) write_learnt_reward(preferences, run);
  result.numbers = {{"accuracy", preferences.test_accuracy()}, {"labels", preferences.labels()}};
  return result;
}

}  // namespace

bool is_sac_arm(const std::string& arm) { return arm == "sac_true" || arm.starts_with("pebble"); }

std::optional<nlohmann::json> run_sac_arm(const PreferencesRecipeConfig& config, const std::string& arm,
                                          const environments::EnvironmentTable& table, Run& run) {
  const double begin = steady_seconds();
  auto [agent, numbers] = trained(config, arm, table, run);
  if (run.stop_requested()) return std::nullopt;
  const control::Act best = [&agent](const Tensor& seen) { return agent->range().to_environment(agent->best(seen)); };
  const auto examined = config.world.for_evaluation();
  const auto fresh = examined.make(table, config.evaluate);
  const auto seed = derive(config.sac.seed, {hash("evaluation")});
  numbers["return"] = control::mean(control::play(*fresh, best, config.evaluate, seed));
  control::film(*examined.make(table, 1), *examined.make_one(table), best, config.sac.seed, run.folder() / "agent.png");
  numbers["seconds"] = steady_seconds() - begin;
  return numbers;
}

}  // namespace rlhf::recipes
