#include "rlhf/rewards/packaged_file.h"

#include <cstdlib>
#include <string>

#include "rlhf/core/error.h"

namespace rlhf::rewards {
namespace {

std::filesystem::path models_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  if (const auto folder = variable("RLHF_MODELS"); !folder.empty()) return folder;
  auto cache = variable("XDG_CACHE_HOME");
  if (cache.empty()) cache = variable("HOME") / ".cache";
  return cache / "rlhf.cpp" / "models";
}

}  // namespace

std::filesystem::path packaged_file(std::string_view package, std::string_view file) {
  const auto path = models_folder() / package / file;
  if (std::filesystem::exists(path)) return path;
  throw Error({.category = Category::bad_data,
               .where = path.string(),
               .what = "this file of the package '" + std::string(package) + "' is missing",
               .fix = "Run `make` once (it fetches the pinned packages), or set RLHF_MODELS to the folder that holds '" +
                      std::string(package) + "/'."});
}

}  // namespace rlhf::rewards
