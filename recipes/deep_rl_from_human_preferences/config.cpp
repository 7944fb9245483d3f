#include "recipes/deep_rl_from_human_preferences/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"

namespace rlhf::recipes {

const std::vector<std::pair<std::string, std::string>>& arm_names() {
  static const std::vector<std::pair<std::string, std::string>> names = {
      {"true_reward", "the policy is given the environment's own reward"},
      {"labels", "the method, with all of `preferences.labels`"},
      {"labels_150", "the same with 150 labels"},
      {"labels_60", "the same with 60 labels"},
      {"labels_10", "the same with 10 labels"},
      {"offline", "all labels at the start, about the untrained policy; the reward model never changes again"},
      {"single_step", "clips of one step"},
      {"random_queries", "pairs drawn at random, whatever the ensemble thinks of them"},
      {"one_model", "one reward model instead of an ensemble"},
      {"no_l2", "no weight decay"},
      {"regression", "fitted to what the clips earned in truth instead of comparisons"},
      {"noise_10", "a teacher who is wrong in 10 % of the answers"},
      {"constant", "every step earns the same"},
      {"frozen", "another agent, trained from scratch on the final reward model of labels, which no longer changes"},
      {"frozen_60", "the same on the final reward model of labels_60"},
      {"sac_true", "SAC instead of PPO, given the environment's own reward"},
      {"pebble", "SAC that explores before anybody is asked, and has all it remembers judged anew (PEBBLE)"},
      {"pebble_no_explore", "the same, without exploring first"}};
  return names;
}

void PreferencesRecipeConfig::fields(Fields& f) {
  world.fields(f);
  f.group("agent", agent, "policy and value");
  f.group("ppo", ppo, "how the policy learns");
  f.group("sac", sac, "how the policy learns in the arms sac_true, pebble and pebble_no_explore");
  f.field("sac_rollout", sac_rollout, "steps of its loop between two rounds of questions");
  f.group("preferences", preferences, "clips, questions and the reward model");
  f.group("audit", audit, "of the frozen reward models of the arms frozen and frozen_60");
  f.field("frozen_times", frozen_times, "times ppo.total_steps that the agents of these arms are trained for");
  f.field("arms", arms, "what is compared: true_reward, labels, labels_150, labels_60, labels_10, offline, "
                        "single_step, random_queries, one_model, no_l2, regression, noise_10, constant, frozen (after labels), "
                        "frozen_60 (after labels_60), sac_true, pebble, pebble_no_explore");
  f.field("seeds", seeds, "runs of each arm");
  f.field("jobs", jobs, "runs at a time, each on one thread; 0 = one for each core");
  f.field("evaluate", evaluate, "episodes played at the end of each run");
  f.field("people", people, "people answer, on the pages of `rlhf collect`, instead of the simulated teacher");
  f.field("seed", seed, "of the first run; the others count up");
}

void PreferencesRecipeConfig::validate() const {
  const auto refuse = [](const char* field, std::string what, std::string fix) {
    throw Error({.category = Category::usage, .where = field, .what = std::move(what), .fix = std::move(fix)});
  };
  if (seeds < 1) refuse("seeds", "no run was asked for", "Give 1 or more.");
  if (evaluate < 1) refuse("evaluate", "no episode was asked for", "Give 1 or more.");
  if (frozen_times < 1) refuse("frozen_times", "the retrained agents would learn nothing", "Give 1 or more.");
  if (sac_rollout < 1) refuse("sac_rollout", "no step was asked for", "Give 1 or more.");
  if (world.normalization.any())
    refuse("normalization", "statistics of what was seen move on: a clip played again would not look as it did",
           "Leave it off here. What the reward model pays is normalised as it is.");
  if (!world.observe.empty())
    refuse("observe", "clips are played again, and shown, in the environment that sees everything", "Leave it empty.");
  if (arms.empty()) refuse("arms", "nothing is compared", "Name one or more.");
  const auto named = [&](const std::string& arm) { return std::find(arms.begin(), arms.end(), arm) != arms.end(); };
  for (const auto& arm : arms) {
    const auto known = std::any_of(arm_names().begin(), arm_names().end(), [&](const auto& each) { return each.first == arm; });
    if (!known) refuse("arms", fmt::format("there is no arm '{}'", arm), "`rlhf recipe show` lists them.");
    if (people && arm == "regression")
      refuse("arms", "people compare clips, they do not know what these earned", "Leave out the arm regression.");
    const auto online = retrained_from(arm);
    if (!online.empty() && !named(online))
      refuse("arms", fmt::format("{} trains on the reward model of {}", arm, online), "Name " + online + ", too.");
  }
}

std::string retrained_from(const std::string& arm) {
  if (arm == "frozen") return "labels";
  if (arm == "frozen_60") return "labels_60";
  return "";
}

PreferencesRecipeConfig arm_of(PreferencesRecipeConfig config, const std::string& arm, std::uint64_t seed) {
  auto& preferences = config.preferences;
  config.agent.seed = config.ppo.seed = preferences.seed = preferences.reward.seed = preferences.teacher.seed = seed;
  config.sac.seed = seed;
  preferences.people = config.people;
  if (arm != "pebble") preferences.explore = 0;
  if (arm == "labels_150") preferences.labels = 150;
  if (arm == "labels_60") preferences.labels = 60;
  if (arm == "labels_10") preferences.labels = 10;
  if (arm == "offline") {
    preferences.initial_share = 1.0;
    // As many minibatches as the reward model has elsewhere, all of them before the policy learns.
    preferences.first_updates += config.ppo.rollouts() * preferences.rollout_updates;
    preferences.rollout_updates = 0;
  }
  if (arm == "single_step") preferences.clip_steps = 1;
  if (arm == "random_queries") preferences.selection = control::Selection::random;
  if (arm == "one_model") {
    preferences.reward.members = 1;
    preferences.selection = control::Selection::random;  // one model cannot disagree with itself
  }
  if (arm == "no_l2") {
    preferences.reward.l2 = 0;
    preferences.reward.adapt_l2 = false;
  }
  if (arm == "regression") preferences.reward.fit_to = control::FitTo::returns;
  if (arm == "noise_10") preferences.teacher.error_rate = 0.1;
  if (!retrained_from(arm).empty()) {
    config.agent.seed = config.ppo.seed = derive(seed, {hash("retrained")});  // another agent
    config.ppo.total_steps *= config.frozen_times;
  }
  return config;
}

}  // namespace rlhf::recipes
