#include "rlhf/environments/gymnasium.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "rlhf/core/error.h"

namespace rlhf::environments {
namespace workers {
extern const std::string_view gymnasium_worker_py;  // workers/gymnasium_worker.py, compiled in
}

namespace {

namespace fs = std::filesystem;

/// The folders of a variable like PATH.
std::vector<fs::path> folders_of(const char* variable) {
  std::vector<fs::path> folders;
  const char* value = std::getenv(variable);
  std::istringstream parts(value ? value : "");
  for (std::string part; std::getline(parts, part, ':');) folders.emplace_back(part);
  return folders;
}

/// The program itself; empty if there is none.
fs::path found_program(const std::string& named) {
  std::error_code ignored;
  if (named.find('/') != std::string::npos) return fs::exists(named, ignored) ? fs::path(named) : fs::path();
  for (const auto& folder : folders_of("PATH"))
    if (fs::exists(folder / named, ignored)) return folder / named;
  return {};
}

/// Where an interpreter's packages may lie: in a virtual environment its own alone, else the system's and the user's.
std::vector<fs::path> package_folders(const fs::path& program) {
  auto folders = folders_of("PYTHONPATH");
  const auto prefix = program.parent_path().parent_path();
  std::error_code ignored;
  std::vector<fs::path> prefixes = {prefix};
  if (!fs::exists(prefix / "pyvenv.cfg", ignored)) {
    prefixes.push_back(prefix / "local");
    if (const char* home = std::getenv("HOME")) prefixes.push_back(fs::path(home) / ".local");
  }
  for (const auto& one : prefixes)
    for (const auto& version : fs::directory_iterator(one / "lib", ignored)) {
      if (!version.path().filename().string().starts_with("python3")) continue;
      folders.push_back(version.path() / "site-packages");
      folders.push_back(version.path() / "dist-packages");
    }
  return folders;
}

}  // namespace

bool gymnasium_installed(const std::string& python) {
  const auto program = found_program(python);
  if (program.empty()) return false;
  bool gymnasium = false, numpy = false;
  std::error_code ignored;
  for (const auto& folder : package_folders(program)) {
    gymnasium = gymnasium || fs::exists(folder / "gymnasium/__init__.py", ignored);
    numpy = numpy || fs::exists(folder / "numpy/__init__.py", ignored);
  }
  return gymnasium && numpy;
}

void GymnasiumConfig::fields(Fields& f) {
  f.field("id", id, "what gymnasium.make takes: CartPole-v1");
  f.field("kwargs", kwargs, R"(a JSON object for gymnasium.make: {"max_episode_steps": 200})");
  f.field("modules", modules, "to import before, separated by commas: ale_py");
  f.field("python", python, "interpreter that has gymnasium and numpy");
  f.group("worker", worker, "care for the process");
}

void GymnasiumConfig::validate() const {
  if (!kwargs.empty() && !nlohmann::json::parse(kwargs, nullptr, false).is_object())
    throw Error({.category = Category::usage,
                 .where = "kwargs",
                 .what = "is no JSON object: " + kwargs,
                 .fix = R"(Write it like {"max_episode_steps": 200}.)"});
}

WorkerProgram gymnasium_program(const GymnasiumConfig& config) {
  config.validate();
  auto settings = nlohmann::json{{"id", config.id}, {"kwargs", config.kwargs}, {"modules", config.modules}};
  auto request = settings;
  request["kwargs"] = config.kwargs.empty() ? nlohmann::json::object() : nlohmann::json::parse(config.kwargs);
  // Where Python lies is no matter of the environment, unless it was said.
  if (config.python != GymnasiumConfig().python) settings["python"] = config.python;
  return {.name = "gymnasium",
          .command = {config.python, "-"},
          .input = std::string(workers::gymnasium_worker_py),
          .request = request,
          .settings = settings};
}

}  // namespace rlhf::environments
