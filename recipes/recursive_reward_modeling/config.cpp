#include "recipes/recursive_reward_modeling/config.h"

#include <algorithm>
#include <set>

#include "rlhf/core/error.h"

namespace rlhf::recipes {
namespace {

void require(bool holds, const char* field, const char* fix) {
  if (!holds) throw Error({.category = Category::usage, .where = field, .what = "out of range", .fix = fix});
}

bool all_known(const std::vector<std::string>& names, const std::vector<std::string>& known) {
  return std::all_of(names.begin(), names.end(),
                     [&](const auto& name) { return std::find(known.begin(), known.end(), name) != known.end(); });
}

}  // namespace

void PeopleConfig::fields(Fields& f) {
  f.field("names", names, "who judges, by the names they answer under");
  f.field("pairs", pairs, "that each of them judges, with help for half of them");
  f.field("store", store, "feedback store; empty = people.db in the arm's folder");
}

void PeopleConfig::validate() const {
  const std::set different(names.begin(), names.end());
  require(different.size() == names.size() && !different.contains("everybody"), "names",
          "Name each of them once, and nobody \"everybody\".");
  require(pairs >= 2, "pairs", "Give 2 or more.");
}

void RecursiveConfig::fields(Fields& f) {
  f.field("studies", studies, "inspector, ledger, depth, tampering, people");
  f.field("conditions", conditions,
          "alone, helper, oracle, inverted, random_hints, oracle_hints, double_budget: what the final agent is trained "
          "under");
  f.field("seeds", seeds, "runs of each arm");
  f.field("jobs", jobs, "runs at a time; 0 = one for each core");
  f.field("seed", seed, "of the first run; the others count up");
  f.field("error_rate", error_rate, "share of the evaluator's answers that are mistaken");
  f.field("heldout", heldout, "pairs on which every condition is measured");
  f.field("budget", budget, "cells of a route that may be looked at");
  f.field("ledger_budget", ledger_budget, "lines of a page that may be worked out");
  f.group("clerk", clerk, "whose pages the ledger's agent starts from");
  f.group("finder", finder, "the helper");
  f.field("practice", practice, "outputs of others, on which the helper is trained");
  f.field("labels", labels, "comparisons that the final agent's reward model is fitted to");
  f.field("rounds", rounds, "in which they are asked");
  f.field("start_share", start_share, "of the outputs compared: of the policy that demonstrations left");
  f.field("fit_updates", fit_updates, "minibatches of the reward model in each round");
  f.field("rollouts", rollouts, "of PPO in each round");
  f.field("frozen_times", frozen_times, "times as many rollouts again without new labels; 0 = no audit");
  f.field("audited", audited, "conditions whose reward model is optimised on");
  f.group("agent", agent, "policy and value of the final agent");
  f.group("ppo", ppo, "how it learns");
  f.group("reward", reward, "its reward model");
  f.group("map", map, "of the inspector");
  f.group("people", people, "people who judge in place of the simulated evaluator");
  f.field("level_errors", level_errors, "error rates of each level of evaluation");
  f.field("ensemble", ensemble, "helpers at each level whose middle answer counts, odd");
  f.field("trained_error", trained_error, "of each level, where an agent is trained at every depth");
}

bool RecursiveConfig::asks_people() const {
  return std::find(studies.begin(), studies.end(), "people") != studies.end();
}

void RecursiveConfig::validate() const {
  require(!studies.empty() && all_known(studies, {"inspector", "ledger", "depth", "tampering", "people"}), "studies",
          "Name one or more of inspector, ledger, depth, tampering, people.");
  require(all_known(conditions,
                    {"alone", "helper", "oracle", "inverted", "random_hints", "oracle_hints", "double_budget"}),
          "conditions", "Name some of alone, helper, oracle, inverted, random_hints, oracle_hints, double_budget.");
  require(!asks_people() || !people.names.empty(), "people.names",
          "Say who judges, by the names they answer under: people.names=anna,ben");
  require(!asks_people() || people.pairs <= heldout, "people.pairs", "Give at most as many as heldout.");
  require(seeds >= 1, "seeds", "Give 1 or more.");
  require(error_rate >= 0 && error_rate < 0.5, "error_rate", "Give a share below a half.");
  require(heldout >= 10, "heldout", "Give 10 or more.");
  require(budget >= 1, "budget", "Give 1 or more.");
  require(ledger_budget >= 1, "ledger_budget", "Give 1 or more.");
  require(practice >= 8, "practice", "Give 8 or more.");
  require(labels >= rounds && rounds >= 1, "labels", "Ask for at least one in each round.");
  require(start_share >= 0 && start_share <= 1, "start_share", "Give a share from 0 to 1.");
  require(fit_updates >= 1, "fit_updates", "Give 1 or more.");
  require(rollouts >= 1, "rollouts", "Give 1 or more.");
  require(frozen_times >= 0, "frozen_times", "Give 0 or more.");
  require(ensemble >= 1 && ensemble % 2 == 1, "ensemble", "Give an odd number.");
}

RecursiveConfig seeded(RecursiveConfig config, std::uint64_t seed) {
  config.seed = config.agent.seed = config.ppo.seed = config.reward.seed = config.finder.seed = seed;
  config.map.map = static_cast<std::int64_t>(seed);
  config.ppo.schedule.kind = algorithms::Schedule::constant;  // rounds follow each other: none is the last
  return config;
}

}  // namespace rlhf::recipes
