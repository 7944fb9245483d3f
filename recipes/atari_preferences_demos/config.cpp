#include "recipes/atari_preferences_demos/config.h"

#include <fmt/format.h>

#include <algorithm>

#include "rlhf/core/error.h"

namespace rlhf::recipes {

DemosRecipeConfig::DemosRecipeConfig() {
  agent.total_steps = 20000;
  agent.train_every = 2;
  agent.learning_rate = 3e-4;
  agent.target_every = 500;
  agent.epsilon_share = 0.5;
  agent.replay.capacity = 20000;
  agent.network.hidden = {64, 64};
  preferences.labels = 500;
  preferences.initial_share = 0.3;
  preferences.schedule = 2000;  // a tenth of the steps, as in the paper
  preferences.clip_steps = 10;
  preferences.clips = preferences.rollout_clips = 120;  // pairs are of one iteration
  preferences.selection = control::Selection::random;
  preferences.actions = false;
  preferences.outcomes = true;
  preferences.first_updates = 1000;
  preferences.rollout_updates = 100;
  preferences.reward.members = 1;
  preferences.reward.deviation = 0.05;
  preferences.reward.prior = 1e-4;
  preferences.reward.input_noise = 0.1;
  preferences.reward.dropout = 0.2;
}

const std::vector<std::pair<std::string, std::string>>& demos_arm_names() {
  static const std::vector<std::pair<std::string, std::string>> names = {
      {"imitation", "demonstrations alone: the large margin, nothing else"},
      {"no_demos", "comparisons alone"},
      {"demos_prefs", "both"},
      {"autolabels", "both, and demonstrations are taken to be better than the first clips"},
      {"frozen", "an agent trained from scratch on the final reward model of demos_prefs, which no longer changes"},
      {"frozen_alone", "the same without demonstrations: it explores from random actions on"},
      {"noise_10", "demos_prefs with a teacher who is wrong in 10 % of the answers"},
      {"noise_30", "demos_prefs with a teacher who is wrong in 30 % of the answers"},
      {"true_reward", "demonstrations and the game's own score"}};
  return names;
}

void DemosRecipeConfig::fields(Fields& f) {
  world.fields(f);
  f.group("agent", agent, "DQfD");
  f.group("preferences", preferences, "clips, questions and the reward model");
  f.group("audit", audit, "of the frozen reward model");
  f.field("demonstrations", demonstrations, "rounds that somebody shows");
  f.field("random_share", random_share, "of their actions that are any");
  f.field("recordings", recordings,
          "file of `rlhf env play key_treasure --out FILE` whose rounds are shown instead of a script's");
  f.field("first_pretraining", first_pretraining, "minibatches of demonstrations before anybody was asked");
  f.field("pretraining", pretraining, "minibatches of demonstrations once the first reward model is there");
  f.field("iterations", iterations, "of acting, asking and fitting");
  f.field("arms", arms,
          "what is compared: imitation, no_demos, demos_prefs, autolabels, frozen and frozen_alone "
          "(after demos_prefs), noise_10, noise_30, true_reward");
  f.field("seeds", seeds, "runs of each arm");
  f.field("jobs", jobs, "runs at a time, each on one thread; 0 = one for each core");
  f.field("evaluate", evaluate, "rounds played at the end of each run");
  f.field("people", people, "people answer, on the pages of `rlhf collect`, instead of the simulated teacher");
  f.field("seed", seed, "of the first run; the others count up");
}

void DemosRecipeConfig::validate() const {
  const auto refuse = [](const char* field, std::string what, std::string fix) {
    throw Error({.category = Category::usage, .where = field, .what = std::move(what), .fix = std::move(fix)});
  };
  if (world.environment != "key_treasure")
    refuse("environment", "nobody is there to show how " + world.environment + " is played", "Take key_treasure.");
  if (demonstrations < 1)
    refuse("demonstrations", "nothing is shown", "Give 1 or more; the arm no_demos goes without.");
  if (random_share < 0 || random_share > 1) refuse("random_share", "it is no share", "Give a number from 0 to 1.");
  if (iterations < 1 || rollout_steps() < preferences.clip_steps)
    refuse("iterations", "an iteration holds no clip", "Take fewer iterations or more steps.");
  if (seeds < 1) refuse("seeds", "no run was asked for", "Give 1 or more.");
  if (evaluate < 1) refuse("evaluate", "no round was asked for", "Give 1 or more.");
  if (arms.empty()) refuse("arms", "nothing is compared", "Name one or more.");
  const auto named = [&](const std::string& arm) { return std::find(arms.begin(), arms.end(), arm) != arms.end(); };
  for (const auto& arm : arms) {
    const auto& names = demos_arm_names();
    if (std::none_of(names.begin(), names.end(), [&](const auto& each) { return each.first == arm; }))
      refuse("arms", fmt::format("there is no arm '{}'", arm), "`rlhf recipe show` lists them.");
  }
  if (std::any_of(arms.begin(), arms.end(), retrains) && !named("demos_prefs"))
    refuse("arms", "what retrains needs the reward model of demos_prefs", "Name demos_prefs, too.");
}

bool retrains(const std::string& arm) { return arm == "frozen" || arm == "frozen_alone"; }

DemosRecipeConfig arm_of(DemosRecipeConfig config, const std::string& arm, std::uint64_t seed) {
  auto& preferences = config.preferences;
  config.agent.seed = preferences.seed = preferences.reward.seed = preferences.teacher.seed = seed;
  preferences.people = config.people;
  config.agent.checkpoint_every = config.rollout_steps();
  config.agent.report_every = config.rollout_steps();
  if (arm == "imitation") config.agent.td_weight = 0;
  if (arm == "autolabels") preferences.autolabels = true;
  if (arm == "noise_10") preferences.teacher.error_rate = 0.1;
  if (arm == "noise_30") preferences.teacher.error_rate = 0.3;
  if (retrains(arm)) config.agent.seed = derive(seed, {hash("retrained")});  // another agent, from scratch
  if (arm == "frozen_alone") config.agent.epsilon_start = 1.0;
  return config;
}

environments::KeyTreasureConfig world_of(const DemosRecipeConfig& config, bool continuing) {
  environments::KeyTreasureConfig world;
  if (!config.world.settings.empty())
    from_json(world, nlohmann::json::parse(config.world.settings), "settings of key_treasure");
  world.continuing = continuing;
  return world;
}

}  // namespace rlhf::recipes
