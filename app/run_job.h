#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.h"
#include "rlhf/algorithms/job.h"

namespace rlhf::app {

/// What `rlhf train` and `rlhf recipe run` take besides the job's own settings.
struct RunFlags {
  std::string preset;                        // recipes only
  std::vector<std::filesystem::path> files;  // -c, from left to right
  std::vector<std::string> overrides;        // key=value, --key value
  std::filesystem::path output;              // default: runs/<name>
  bool resume = false, overwrite = false;
  bool dry_run = false;                      // print the resolved settings and stop
  bool check = true;                         // recipes only: compare the results with what the recipe promises
  bool help = false;
};

/// Takes the flags above out of the arguments; the rest are overrides. Throws rlhf::Error (usage) for a flag without value.
RunFlags read_run_flags(const Invocation& call, const std::string& name);

/// Settings of a job before its files and flags: a preset's TOML, and what to call it.
struct Preset {
  std::string_view toml;
  std::string name;
};

/// Resolves the settings, opens the run folder and runs the job in it. A resumed run starts from the settings it was begun
/// with. Returns false when there was nothing to run (--help, --dry-run).
bool run_job(algorithms::Job& job, const std::string& title, const Preset& preset, const RunFlags& flags, nlohmann::json about);

}  // namespace rlhf::app
