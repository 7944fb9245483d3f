#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/core/run.h"
#include "rlhf/evaluation/over_seeds.h"

namespace rlhf::recipes {

/// A study compares arms (the method, and the method with one thing changed), each run with the same few seeds.
struct ArmsPlan {
  std::vector<std::string> arms;
  std::int64_t seeds = 1;
  std::uint64_t first_seed = 1;  // the others count up
  std::int64_t jobs = 0;         // runs at a time, each on one thread; 0 = one for each core
  bool aloud = false;            // runs speak for themselves, too: one that waits for people says where they answer
  /// Arms that need what others left (a frozen reward model): run once all others are done. Empty: none does.
  std::function<bool(const std::string& arm)> afterwards = {};
};

/// The folder of one run of one arm.
std::filesystem::path arm_folder(const Run& run, const std::string& arm, std::uint64_t seed);

/// One run of one arm, in a folder of its own; an object of numbers under names (null or NaN: not measured), or nothing
/// when the run was asked to stop.
using ArmRun = std::function<std::optional<nlohmann::json>(const std::string& arm, std::uint64_t seed, Run& part)>;

/// The resolved settings of one run of one arm, for its config.toml.
using ArmSettings = std::function<std::string(const std::string& arm, std::uint64_t seed)>;

/// What all runs came to: by arm, in the order of the seeds.
struct ArmsResult {
  std::map<std::string, std::vector<nlohmann::json>> runs;

  /// One number of each run of the arm that has it.
  std::vector<double> values(const std::string& arm, const std::string& number) const;
  double mean(const std::string& arm, const std::string& number) const;  // NaN where no run has it
  evaluation::Interval interval(const std::string& arm, const std::string& number) const;
  bool has(const std::string& arm) const { return runs.contains(arm); }

  /// results["<arm>_<number>"], with _low and _high, for every arm that has the number.
  void add_to(nlohmann::json& results, const std::string& number) const;
};

/// Runs every arm with every seed, several at a time; what a run gives does not depend on its neighbours. Finished runs
/// are kept in <run>/arms/<arm>-<seed>/ (results.json), so that an interrupted study goes on where it was, and
/// <run>/arms.jsonl has a row for each: {"arm", "seed", numbers...}, which the report reads; rows of other arms that
/// are there stay. Nothing when the run was asked to stop before the end. Rethrows the first error of a run, once the
/// others have stopped.
std::optional<ArmsResult> run_arms(const ArmsPlan& plan, Run& run, const ArmSettings& settings, const ArmRun& one);

/// The audit.jsonl of every run that has one (control/reward_audit.h), with "arm" and "seed", as the audit.jsonl of the
/// study, which the report draws.
void gather_audits(const ArmsPlan& plan, Run& run);

}  // namespace rlhf::recipes
