#include "rlhf/core/run_folder.h"

#include <algorithm>
#include <vector>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/event_file.h"
#include "rlhf/core/files.h"
#include "rlhf/core/machine.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = ".rlhf.lock";
constexpr std::string_view run_files[] = {"checkpoints", "metrics.jsonl", "timing.jsonl", "samples.jsonl", "evaluation.jsonl",
                                          "results.json", "verdict.json", "report.html", "log.txt", "config.toml", "run.json",
                                          "arms.jsonl", "audit.jsonl", "labels.jsonl", "returns.jsonl", "promises.json",
                                          "agent.png", "normalization.json"};
constexpr std::string_view event_prefix = "events.out.tfevents.";

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(event_prefix)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Hidden files (the lock, temporary files of a run that was killed at once) don't make a folder somebody's.
bool is_unused(const fs::path& folder) {
  if (!fs::exists(folder)) return true;
  if (!fs::is_directory(folder)) return false;
  return std::all_of(fs::directory_iterator(folder), fs::directory_iterator(), [](const fs::directory_entry& entry) {
    return entry.path().filename().string().starts_with('.');
  });
}

/// Feedback may be a person's work: it is set aside under a new name, never deleted.
void set_aside(const fs::path& database) {
  int number = 1;
  const auto renamed = [&] { return database.parent_path() / (database.stem().string() + ".replaced-" + std::to_string(number) + ".db"); };
  while (fs::exists(renamed())) ++number;
  for (const char* part : {"-wal", "-shm", ""}) {
    if (fs::exists(database.string() + part)) fs::rename(database.string() + part, renamed().string() + part);
  }
}

/// The same for what lies deeper in a folder that goes: under the paths it had, in a folder of its own.
void set_aside_below(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (extension == ".db" || extension == ".db-wal" || extension == ".db-shm") found.push_back(entry.path());
  }
  int number = 1;
  const auto kept = [&] { return fs::path(folder.string() + ".replaced-" + std::to_string(number)); };
  while (fs::exists(kept())) ++number;
  for (const auto& file : found) {
    const auto target = kept() / file.lexically_relative(folder);
    make_folder(target.parent_path());
    fs::rename(file, target);
  }
}

/// A study keeps the runs of its arms in one folder.
bool holds_only_runs(const fs::path& folder) {
  return !is_unused(folder) && std::all_of(fs::directory_iterator(folder), fs::directory_iterator(), [](const fs::directory_entry& entry) {
    return entry.is_directory() && holds_run(entry.path());
  });
}

// What runs write, runs inside of this one included. Anything else in the folder is the user's and stays.
void remove_run(const fs::path& folder) {
  std::vector<fs::path> written = event_files(folder), databases, folders_of_runs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string(), extension = entry.path().extension().string();
    const bool own = std::find(std::begin(run_files), std::end(run_files), name) != std::end(run_files);
    const bool runs = entry.is_directory() && (holds_run(entry.path()) || holds_only_runs(entry.path()));
    if (own || extension == ".cursor" || runs) written.push_back(entry.path());
    if (runs) folders_of_runs.push_back(entry.path());
    if (extension == ".db" && name.find(".replaced-") == std::string::npos) databases.push_back(entry.path());
  }
  for (const auto& database : databases) set_aside(database);
  for (const auto& inner : folders_of_runs) set_aside_below(inner);
  for (const auto& path : written) fs::remove_all(path);
}

[[noreturn]] void refuse(const fs::path& folder, std::string what, std::string fix) {
  throw Error({.category = Category::usage, .where = folder.string(), .what = std::move(what), .fix = std::move(fix)});
}

}  // namespace

// A run that was killed before it wrote run.json has left the lock and its first files.
bool holds_run(const fs::path& folder) {
  return fs::exists(folder / "run.json") || (fs::exists(folder / lock_name) && !is_unused(folder));
}

Lock claim_run_folder(const fs::path& folder, bool resume, bool overwrite) {
  if (folder.empty()) refuse("run", "no folder was given", "Pass --output FOLDER.");
  if (resume && overwrite) refuse(folder, "resume and overwrite exclude each other", "Pass one of them.");
  if (!holds_run(folder) && !is_unused(folder)) {
    refuse(folder, "something that is no run is there", "Choose an empty folder or a new name.");
  }
  make_folder(folder);
  Lock lock(folder / lock_name, "run folder " + folder.string());
  if (holds_run(folder) && !resume && !overwrite) {
    refuse(folder, "a run is there already",
           "Pass --resume to go on with it, --overwrite to replace it, or another --output.");
  }
  if (overwrite) remove_run(folder);
  return lock;
}

fs::path event_file_in(const fs::path& folder) {
  const auto existing = event_files(folder);
  return existing.empty() ? folder / event_file_name(wall_seconds(), host_name()) : existing.front();
}

}  // namespace rlhf
