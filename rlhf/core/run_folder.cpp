#include "rlhf/core/run_folder.h"

#include <algorithm>
#include <vector>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/event_file.h"
#include "rlhf/core/machine.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = ".rlhf.lock";
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

// Only what Run writes: a feedback store or a note of the user's in the same folder is not ours to delete.
void remove_run(const fs::path& folder) {
  for (const auto& file : event_files(folder)) fs::remove(file);
  for (const char* name : {"checkpoints", "metrics.jsonl", "timing.jsonl", "samples.jsonl", "log.txt", "report.html",
                           "config.toml", "run.json"}) {
    fs::remove_all(folder / name);
  }
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
