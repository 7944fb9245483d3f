#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/algorithms/rehearsed.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/run.h"

namespace rlhf::recipes {

/// Does feedback on the same behaviour depend on what the learner did before? Each trainer watches one dog on the grid:
/// it gets better, stays as it is or gets worse, and in the last episodes all dogs do the same.
struct DependenceConfig {
  std::int64_t trainers = 20;  // simulated, in each condition
  std::int64_t judged = 3;     // last episodes, whose feedback is compared
  double rate = 2.0;           // steps a second
  double delay = 0.4;          // s; of the simulated trainers, and what is taken off the times of people's presses
  double comments = 0.5;       // share of steps that a simulated trainer says something about
  double noise = 0.3;          // standard deviation of what it says, in units of the advantage
  double memory = 0.97;        // what remains of its impression of the dog after a step
  algorithms::RehearsedConfig rehearsed;
  std::string logs;  // folder of people's sessions, <condition>-<anything>.jsonl; empty = simulated trainers

  void fields(Fields& f);
  void validate() const;
};

/// The conditions, in the order that feedback is expected to have.
const std::vector<std::string>& dependence_conditions();

/// What one trainer said about the last episodes of a session.
struct TrainerFeedback {
  std::string condition;
  std::string trainer;  // the log's name
  std::int64_t presses = 0;
  double mean = 0.0;  // of their values
};

/// Reads a session's log: the presses about steps after `config.rehearsed.episodes`. Throws rlhf::Error (bad_data) for
/// a file that is no finished session's log.
TrainerFeedback judged_feedback(const std::filesystem::path& log, const DependenceConfig& config);

/// Compares the conditions: adds to `results`, under `prefix`, "<condition>" (mean over trainers), "h", "p"
/// (Kruskal-Wallis), "<first>_<second>_p" (Mann-Whitney by pairs, adjusted by Holm) and "ordered" (1 if the means are
/// in the expected order). Throws rlhf::Error (usage) when a condition has nobody who said anything.
void compare_conditions(const std::vector<TrainerFeedback>& feedback, const std::string& prefix,
                        nlohmann::json& results, Run& run);

/// People's logs, or simulated trainers of two sorts: "dependence_advantage_" judge by what they are used to,
/// "dependence_action_" do not. False when the run was asked to stop.
bool run_dependence(const DependenceConfig& config, std::uint64_t seed, Run& run, nlohmann::json& results);

}  // namespace rlhf::recipes
