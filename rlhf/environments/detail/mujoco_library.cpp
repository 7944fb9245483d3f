#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/mujoco_simulation.h"

namespace rlhf::environments::detail {
namespace {

namespace fs = std::filesystem;
constexpr const char* file_name = "librlhf_mujoco.so";
constexpr const char* how =
    "Run `make mujoco` in the source folder (it downloads 10 MB), or set RLHF_MUJOCO to the path of librlhf_mujoco.so.";

[[noreturn]] void throw_missing(std::string what) {
  throw Error({.category = Category::resource, .where = "MuJoCo", .what = std::move(what), .fix = how});
}

/// Beside the program, where `make install` puts it, or in the build; empty where there is none.
std::string plugin_path() {
  if (const char* given = std::getenv("RLHF_MUJOCO"); given && *given) return given;
  std::error_code ignored;
  const auto program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& folder : {program, program / "../lib/rlhf", fs::path(RLHF_PLUGIN_FOLDER)})
    if (fs::exists(folder / file_name, ignored)) return (folder / file_name).string();
  return {};
}

using Open = MujocoSimulation* (*)(const char* model, char* error, int size);

struct Plugin {
  Open open = nullptr;
  std::string wrong;  // why there is none
};

/// Stays loaded until the program ends.
Plugin load() {
  const auto path = plugin_path();
  if (path.empty()) return {.wrong = "it is not installed"};
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return {.wrong = fmt::format("its plug-in cannot be loaded: {}", dlerror())};
  const auto interface = reinterpret_cast<int (*)()>(dlsym(library, "rlhf_mujoco_interface"));
  const auto open = reinterpret_cast<Open>(dlsym(library, "rlhf_mujoco_open"));
  if (!interface || !open || interface() != mujoco_interface)
    return {.wrong = fmt::format("{} was built for another version of this program", path)};
  return {.open = open};
}

const Plugin& plugin() {
  static const Plugin loaded = load();
  return loaded;
}

}  // namespace

std::unique_ptr<MujocoSimulation> open_mujoco(const std::string& model) {
  if (!plugin().open) throw_missing(plugin().wrong);
  char error[1000] = "";
  std::unique_ptr<MujocoSimulation> simulation(plugin().open(model.c_str(), error, sizeof error));
  if (!simulation) throw_missing(error);
  return simulation;
}

std::string mujoco_missing() { return plugin().open ? "" : fmt::format("MuJoCo: {}. {}", plugin().wrong, how); }

}  // namespace rlhf::environments::detail
