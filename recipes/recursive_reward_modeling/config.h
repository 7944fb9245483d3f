#pragma once
#include "recipes/recursive_reward_modeling/finder.h"
#include "recipes/recursive_reward_modeling/ledger.h"
#include "recipes/recursive_reward_modeling/subject.h"
#include "rlhf/environments/hazard_map.h"

namespace rlhf::recipes {

/// People in place of the simulated evaluator (study `people`: the human version of `inspector`).
struct PeopleConfig {
  std::vector<std::string> names;  // who judges, by the names they answer under
  std::int64_t pairs = 60;         // that each of them judges, with help for half of them
  std::string store;               // empty = people.db in the arm's folder

  void fields(Fields& f);
  void validate() const;
};

struct RecursiveConfig {
  std::vector<std::string> studies = {"inspector"};
  std::vector<std::string> conditions = {"alone",        "helper",       "oracle",       "inverted",
                                         "random_hints", "oracle_hints", "double_budget"};  // that A_2 is trained under
  std::int64_t seeds = 1;
  std::int64_t jobs = 0;
  std::uint64_t seed = 1;

  // How outputs are judged.
  double error_rate = 0.05;    // of the evaluator
  std::int64_t heldout = 500;  // pairs, the same in every condition
  std::int64_t budget = 3;     // cells of a route that may be looked at
  std::int64_t ledger_budget = 2;  // lines of a page
  ClerkConfig clerk;
  FinderConfig finder;
  std::int64_t practice = 400;  // outputs of others, on which the helper is trained

  // How A_2 learns.
  std::int64_t labels = 600, rounds = 6;  // comparisons, a share of them in each round
  double start_share = 0.5;               // of the outputs compared: of the policy that demonstrations left
  std::int64_t fit_updates = 150;         // minibatches of the reward model in each round
  std::int64_t rollouts = 5;              // of PPO in each round
  std::int64_t frozen_times = 10;         // times as many rollouts again, without new labels; 0 = no audit
  std::vector<std::string> audited = {"alone", "helper"};
  models::ActorCriticConfig agent;
  control::PpoConfig ppo{.envs = 8, .steps = 96, .minibatch = 192, .learning_rate = 1e-3, .value_clip = std::nullopt};
  control::RewardEnsembleConfig reward{
      .members = 3, .l2 = 1e-4, .adapt_l2 = false, .deviation = 0.1, .centred = false};
  environments::HazardMapConfig map;

  PeopleConfig people;

  // Levels of evaluation above each other.
  std::vector<double> level_errors = {0.0, 0.05, 0.1, 0.2};
  std::int64_t ensemble = 3;  // helpers at each level whose middle answer counts
  double trained_error = 0.1;  // of each level, where an agent is trained at every depth

  bool asks_people() const;
  void fields(Fields& f);
  void validate() const;
};

/// The settings of one seed: every generator from it, another map for each.
RecursiveConfig seeded(RecursiveConfig config, std::uint64_t seed);

}  // namespace rlhf::recipes
