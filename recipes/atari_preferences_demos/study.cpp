#include "recipes/atari_preferences_demos/study.h"

#include <fmt/format.h>

#include <cmath>

#include "recipes/atari_preferences_demos/recordings.h"
#include "recipes/learnt_reward.h"
#include "rlhf/control/film.h"
#include "rlhf/core/clock.h"
#include "rlhf/environments/table.h"

namespace rlhf::recipes {
namespace {

using environments::VectorEnvironment;

std::unique_ptr<VectorEnvironment> worlds(const environments::KeyTreasureConfig& config, std::int64_t count,
                                          environments::AutoReset auto_reset = environments::AutoReset::same_step) {
  return environments::make_vector(environments::builtin_environments(), "key_treasure", rlhf::to_json(config),
                                   {.count = count, .auto_reset = auto_reset});
}

std::vector<data::Trajectory> shown(const DemosRecipeConfig& config) {
  if (!config.recordings.empty()) return recorded_rounds(config);
  std::vector<data::Trajectory> all;
  for (std::int64_t i = 0; i < config.demonstrations; ++i) {
    const auto seed = derive(config.preferences.seed, {hash("demonstrations"), static_cast<std::uint64_t>(i)});
    all.push_back(environments::demonstrate(world_of(config, true), seed, config.random_share));
  }
  return all;
}

/// The agent as it acts at the end of training: hardly ever at random.
control::Act as_trained(const control::QNetwork& network, const control::DqfdConfig& config) {
  const auto random = std::make_shared<Random>(derive(config.seed, {hash("evaluation")}));
  return [&network, random, epsilon = config.epsilon_end](const Tensor& seen) {
    return control::mostly_best(network, seen, epsilon, *random);
  };
}

/// One round in each of many worlds: the share that ended with the treasure, and what a round earned.
void evaluate(const DemosRecipeConfig& config, const control::QNetwork& network, nlohmann::json& numbers) {
  const auto world = world_of(config, false);
  const auto rounds = worlds(world, config.evaluate, environments::AutoReset::disabled);
  rounds->reset(derive(config.preferences.seed, {hash("evaluation")}));
  const auto act = as_trained(network, config.agent);
  double earned = 0;
  Tensor treasure;
  for (std::int64_t t = 0; t < world.steps; ++t) {
    const auto& step = rounds->step(act(rounds->observations()).contiguous());
    earned += environments::earned(step).sum().item<double>();
    treasure = step.terminated;  // kept once a round is over
  }
  numbers["success"] = treasure.to(at::kDouble).mean().item<double>();
  numbers["return"] = earned / static_cast<double>(config.evaluate);
}

/// A round for the report's gallery, from one of the starts of evaluate.
void film_round(const DemosRecipeConfig& config, const control::QNetwork& network, const Run& part) {
  const auto world = world_of(config, false);
  const auto drawer =
      environments::make_environment(environments::builtin_environments(), "key_treasure", rlhf::to_json(world));
  control::film(*worlds(world, 1), *drawer, as_trained(network, config.agent),
                derive(config.preferences.seed, {hash("evaluation")}), part.folder() / "agent.png");
}

/// What the reward model pays for what the agent does, and for anything: what an audit measures against.
void leave_frozen(const DemosRecipeConfig& config, const control::Preferences& preferences,
                  const control::QNetwork& network, const std::filesystem::path& file) {
  const auto environments = worlds(world_of(config, true), config.audit.envs);
  const auto standing = [&](const control::Act& act) {
    return control::standing_of(*environments, act, preferences.source(), config.audit.steps,
                                derive(config.preferences.seed, {hash("audit")}));
  };
  control::freeze(file, preferences,
                  {.any = standing(control::any_action(environments->spec(), config.preferences.seed)),
                   .online = standing(as_trained(network, config.agent))});
}

/// The paper's protocol: imitate; show clips of that; fit; imitate again, now with a reward; then act, ask and fit in
/// turns.
nlohmann::json learn_from_people(const DemosRecipeConfig& config, std::span<const data::Trajectory> demonstrations,
                                 const std::filesystem::path& frozen, control::DqfdLearner& learner, Run& part) {
  const auto world = world_of(config, true);
  const auto environments = worlds(world, config.agent.envs);
  control::Preferences preferences(
      environments::make_environment(environments::builtin_environments(), "key_treasure", rlhf::to_json(world)),
      environments->spec(), config.preferences, config.agent.total_steps, part);
  preferences.set_demonstrations(demonstrations);
  if (!part.restored()) {
    learner.pretrain(demonstrations, preferences.source(), config.first_pretraining, 0);
    preferences.begin([&, round = std::uint64_t{0}]() mutable {
      return control::play_rollout(learner.agent(), *worlds(world, config.agent.envs), config.rollout_steps(),
                                   derive(config.agent.seed, {hash("first clips"), round++}));
    });
    learner.pretrain(demonstrations, preferences.source(), config.pretraining, 1);
  }
  auto hooks = preferences.off_policy_hooks(config.rollout_steps());
  hooks.demonstrations = demonstrations;
  learner.train(*environments, hooks, part);
  nlohmann::json numbers{{"accuracy", preferences.test_accuracy()},
                         {"labels", preferences.labels() - preferences.autolabels()},
                         {"autolabels", preferences.autolabels()}};
  if (part.stop_requested()) return numbers;
  write_learnt_reward(preferences, part);
  leave_frozen(config, preferences, learner.network(), frozen);
  return numbers;
}

/// The same agent from scratch, on a reward model that no longer changes.
nlohmann::json retrain(const DemosRecipeConfig& config, std::span<const data::Trajectory> demonstrations,
                       const std::filesystem::path& file, control::DqfdLearner& learner, Run& part) {
  const auto world = world_of(config, true);
  const auto environments = worlds(world, config.agent.envs);
  const control::FrozenReward frozen(file, environments->spec(), config.preferences);
  control::Audit audit(frozen, worlds(world, config.audit.envs), config.audit, part.first_step() * config.agent.envs,
                       part);
  if (!part.restored())
    learner.pretrain(demonstrations, frozen.source(), config.first_pretraining + config.pretraining, 0);
  const auto total = config.agent.total_steps / config.agent.envs;
  const auto every = std::max<std::int64_t>(1, total / config.audit.looks);
  learner.train(*environments,
                {.reward = frozen.source(),
                 .after =
                     [&](std::int64_t step) {
                       if ((step + 1) % every == 0 || step + 1 == total)
                         audit.look((step + 1) * config.agent.envs, as_trained(learner.network(), config.agent));
                     },
                 .demonstrations = demonstrations},
                part);
  return audit.result().to_json();
}

}  // namespace

std::optional<nlohmann::json> run_demos_arm(const DemosRecipeConfig& config, const std::string& arm,
                                            const std::filesystem::path& frozen, Run& part) {
  const double begin = steady_seconds();
  const auto demonstrations =
      arm == "no_demos" || arm == "frozen_alone" ? std::vector<data::Trajectory>{} : shown(config);
  const auto spec = worlds(world_of(config, true), 1)->spec();
  control::DqfdLearner learner(spec, config.agent);
  nlohmann::json numbers = nlohmann::json::object();
  if (arm == "imitation") {
    learner.pretrain(demonstrations, {}, config.first_pretraining + config.pretraining, 0);
  } else if (arm == "true_reward") {
    if (!part.restored()) learner.pretrain(demonstrations, {}, config.first_pretraining + config.pretraining, 0);
    learner.train(*worlds(world_of(config, true), config.agent.envs), {.demonstrations = demonstrations}, part);
  } else if (retrains(arm)) {
    numbers = retrain(config, demonstrations, frozen, learner, part);
  } else {
    numbers = learn_from_people(config, demonstrations, part.folder() / "frozen_reward.safetensors", learner, part);
  }
  if (part.stop_requested()) return std::nullopt;
  evaluate(config, learner.network(), numbers);
  numbers["seconds"] = steady_seconds() - begin;
  film_round(config, learner.network(), part);
  return numbers;
}

}  // namespace rlhf::recipes
