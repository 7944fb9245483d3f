#pragma once
#include "rlhf/control/jobs.h"
#include "rlhf/control/preferences.h"
#include "rlhf/control/reward_audit.h"
#include "rlhf/control/sac.h"

namespace rlhf::recipes {

/// What is compared: each arm is the recipe with one thing changed. Names are those of arm_names().
struct PreferencesRecipeConfig {
  control::EnvironmentSettings world{.environment = "cart_pole_fixed"};
  models::ActorCriticConfig agent;
  control::PpoConfig ppo{.total_steps = 150000, .envs = 8};
  control::SacConfig sac;           // of the arms whose agent is SAC
  std::int64_t sac_rollout = 1000;  // steps of its loop between two rounds of questions
  control::PreferenceConfig preferences{.reward = {.deviation = 0.1}};
  control::AuditConfig audit;  // of the reward models that the arms frozen and frozen_60 retrain on
  std::int64_t frozen_times = 1;  // as many steps for the agents of these two
  std::vector<std::string> arms = {"true_reward", "labels"};
  std::int64_t seeds = 1;              // runs of each arm
  std::int64_t jobs = 0;               // runs at a time, each on one thread; 0 = one for each core
  std::int64_t evaluate = 50;          // episodes at the end of each
  bool people = false;                 // people answer instead of the simulated teacher
  std::uint64_t seed = 1;

  void fields(Fields& f);
  void validate() const;
};

/// The names that `arms` may hold, and what each changes.
const std::vector<std::pair<std::string, std::string>>& arm_names();

/// The arm whose final reward model this one trains another agent on; empty where it learns for itself.
std::string retrained_from(const std::string& arm);

/// The configuration of one arm and seed.
PreferencesRecipeConfig arm_of(PreferencesRecipeConfig config, const std::string& arm, std::uint64_t seed);

}  // namespace rlhf::recipes
