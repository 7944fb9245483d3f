#include "rlhf/models/model_location.h"

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/core/error.h"

namespace rlhf::models {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Where named models lie, in the order in which they are looked for.
std::vector<fs::path> named_roots() {
  std::vector<fs::path> roots;
  const auto own = variable("RLHF_MODELS");
  for (std::size_t start = 0; start < own.size();) {
    const auto end = std::min(own.find(':', start), own.size());
    if (end > start) roots.emplace_back(own.substr(start, end - start));
    start = end + 1;
  }
  const auto cache = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (!cache.empty())
    roots.push_back(fs::path(cache) / "rlhf.cpp/models");
  else if (!home.empty())
    roots.push_back(fs::path(home) / ".cache/rlhf.cpp/models");
  return roots;
}

std::vector<fs::path> gguf_files(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& item : fs::directory_iterator(folder, ignored))
    if (item.path().extension() == ".gguf" && is_file(item.path())) found.push_back(item.path());
  return found;
}

std::string names_in(const fs::path& folder) {
  std::string list;
  int count = 0;
  std::error_code ignored;
  for (const auto& item : fs::directory_iterator(folder, ignored)) {
    if (++count > 8) return list + ", ...";
    list += (list.empty() ? "" : ", ") + item.path().filename().string();
  }
  return list.empty() ? "nothing" : list;
}

[[noreturn]] void fail(const fs::path& where, std::string what, std::string fix) {
  throw Error(
      {.category = Category::bad_data, .where = where.string(), .what = std::move(what), .fix = std::move(fix)});
}

ModelLocation in_folder(const fs::path& folder) {
  if (is_file(folder / "adapter_config.json")) return {ModelFormat::adapter, folder};
  if (is_file(folder / "config.json")) return {ModelFormat::hugging_face, folder};
  const auto newest = folder / "checkpoints" / "latest";
  if (is_folder(newest)) return in_folder(fs::canonical(newest));
  if (is_file(folder / "run.json"))
    fail(folder, "is a run without a checkpoint", "Let it run until it writes one, or name another run.");
  const auto files = gguf_files(folder);
  if (files.size() == 1) return {ModelFormat::gguf, files.front()};
  if (files.size() > 1) fail(folder, "holds " + std::to_string(files.size()) + " GGUF files", "Name the file itself.");
  fail(folder,
       "is not a model: it has neither config.json, adapter_config.json, a .gguf file nor checkpoints/latest; it "
       "holds " +
           names_in(folder),
       "Name a Hugging Face folder, a PEFT folder, a .gguf file or a run.");
}

std::optional<ModelLocation> at_path(const fs::path& path) {
  if (is_folder(path)) return in_folder(path);
  if (!is_file(path)) return std::nullopt;
  if (path.extension() == ".gguf") return ModelLocation{ModelFormat::gguf, path};
  if (path.extension() == ".safetensors" || path.filename() == "config.json")
    fail(path, "is one file of a model",
         "Name its folder: " + (path.has_parent_path() ? path.parent_path().string() : std::string(".")) + ".");
  fail(path, "is not a model file", "Name a folder or a .gguf file.");
}

}  // namespace

ModelLocation locate_model(std::string_view name_or_path, const fs::path& beside) {
  const fs::path given(name_or_path);
  if (given.empty())
    throw Error({.category = Category::usage,
                 .where = "model",
                 .what = "no model is named",
                 .fix = "Pass a folder, a .gguf file or a name such as smollm2-135m."});
  if (const auto found = at_path(given)) return *found;
  if (!beside.empty() && given.is_relative())
    if (const auto found = at_path(beside / given)) return *found;
  std::string tried = given.string();
  if (given.is_relative()) {
    for (const auto& root : named_roots()) {
      if (const auto found = at_path(root / given)) return *found;
      if (const auto found = at_path(root / (given.string() + ".gguf"))) return *found;
      tried += ", " + (root / given).string();
    }
  }
  throw Error(
      {.category = Category::bad_data,
       .where = "model '" + given.string() + "'",
       .what = "was not found; tried " + tried,
       .fix = "Pass a Hugging Face folder or a .gguf file, or set RLHF_MODELS to the folder that holds your models. "
              "`make` fetches smollm2-135m."});
}

}  // namespace rlhf::models
