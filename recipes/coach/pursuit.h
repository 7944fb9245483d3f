#pragma once
#include "recipes/arms.h"
#include "recipes/coach/trainers.h"
#include "rlhf/algorithms/coach.h"
#include "rlhf/algorithms/tamer.h"

namespace rlhf::recipes {

/// A robot learns to follow a ball while somebody presses buttons, thirty decisions a second.
struct PursuitConfig {
  std::vector<std::string> arms;  // of pursuit_arms(); all of them by default
  std::int64_t seeds = 30;        // runs of each arm
  double minutes = 3.0;           // of teaching, the session's time
  double rate = 30.0;             // steps a second
  double wanted = 0.9;            // of the expert's tracking reward: when a learner counts as taught
  ReactionConfig trainer;
  algorithms::CoachConfig coach;
  double short_trace = 0.8;
  double no_trace_rate = 0.15, single_rate = 0.1;  // learning rates of the two arms that have their own
  algorithms::TamerConfig tamer;
  std::vector<double> scale;       // what the six numbers are multiplied by
  double exam_every = 2.0;         // session seconds between two looks at how well it follows by now
  std::int64_t exam_episodes = 6;  // in each

  PursuitConfig();
  void fields(Fields& f);
  void validate() const;
};

/// The names that `arms` may hold, and what each changes.
const std::vector<std::pair<std::string, std::string>>& pursuit_arms();

/// The learner of an arm that is COACH's, and the trainer of any arm.
algorithms::CoachConfig coach_of(const PursuitConfig& config, const std::string& arm, std::uint64_t seed);
ReactionConfig trainer_of(const PursuitConfig& config, const std::string& arm);

/// Runs all arms; adds to `results`, under "pursuit_<arm>_": "reached" (session seconds until its tracking reward first
/// was `wanted` of the expert's; the whole time if never), "taught" (share of runs in which it was), "tracking" (at the
/// end, 1 = the expert's), "presses"; and "pursuit_<arm>_slower", its mean time over COACH's. False when the run was
/// asked to stop.
bool run_pursuit(const PursuitConfig& config, std::int64_t jobs, std::uint64_t seed, Run& run, nlohmann::json& results);

}  // namespace rlhf::recipes
