#pragma once
#include <filesystem>

#include "rlhf/control/dqfd.h"
#include "rlhf/control/environment_settings.h"
#include "rlhf/control/reward_audit.h"
#include "rlhf/environments/key_treasure.h"

namespace rlhf::recipes {

/// What is compared: each arm is the recipe with one thing changed. Names are those of demos_arm_names().
struct DemosRecipeConfig {
  control::EnvironmentSettings world{.environment = "key_treasure", .settings = R"({"continuing": true})"};
  control::DqfdConfig agent;
  control::PreferenceConfig preferences;
  control::AuditConfig audit;
  std::int64_t demonstrations = 6;        // rounds that somebody shows
  double random_share = 0.15;             // of their actions
  std::filesystem::path recordings;       // file of rounds that are shown instead, all of them; empty: a script's
  std::int64_t first_pretraining = 1000;  // minibatches of demonstrations, before anybody was asked
  std::int64_t pretraining = 3000;        // and once the first reward model is there
  std::int64_t iterations = 20;           // of acting, asking and fitting
  std::vector<std::string> arms = {"imitation", "demos_prefs"};
  std::int64_t seeds = 1;
  std::int64_t jobs = 0;        // runs at a time; 0 = one for each core
  std::int64_t evaluate = 200;  // rounds played at the end of each run
  bool people = false;          // people answer instead of the simulated teacher
  std::uint64_t seed = 1;

  DemosRecipeConfig();
  void fields(Fields& f);
  void validate() const;
  std::int64_t rollout_steps() const { return agent.total_steps / (agent.envs * iterations); }
};

/// The names that `arms` may hold, and what each changes.
const std::vector<std::pair<std::string, std::string>>& demos_arm_names();

/// Does this arm train on a reward model that another one froze?
bool retrains(const std::string& arm);

/// The configuration of one arm and seed.
DemosRecipeConfig arm_of(DemosRecipeConfig config, const std::string& arm, std::uint64_t seed);

/// The world's settings, read back; `continuing` as asked for.
environments::KeyTreasureConfig world_of(const DemosRecipeConfig& config, bool continuing);

}  // namespace rlhf::recipes
