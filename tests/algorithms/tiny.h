#pragma once
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/algorithms/optimizer.h"
#include "rlhf/core/run.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/models/language_model.h"
#include "rlhf/models/lora.h"

namespace rlhf::algorithms {

/// A random model of tests/reference/models: 264 tokens, width 32, 2 layers. A new copy of the weights each time.
inline std::unique_ptr<models::LanguageModel> tiny_model(const std::string& name = "llama_tied") {
  const std::filesystem::path folder = RLHF_SOURCE_DIR "/tests/reference/models/" + name;
  const auto file = std::make_shared<SafetensorsFile>(SafetensorsFile::open(folder / "model.safetensors"));
  std::ifstream config_file(folder / "config.json");
  const auto config = nlohmann::json::parse(config_file);
  return models::builtin_models().at(config["model_type"])(
      config, {.tensor = [file](const std::string& tensor) { return file->tensor(tensor).clone(); },
               .has = [file](const std::string& tensor) { return file->has(tensor); }});
}

/// The same with fresh adapters.
inline std::unique_ptr<models::LanguageModel> tiny_lora(std::uint64_t seed = 1) {
  auto model = tiny_model();
  models::attach_lora(*model, {.r = 4, .alpha = 8}, seed);
  return model;
}

/// A folder for one test's runs, removed at its end.
class Scratch {
 public:
  Scratch() {
    auto name = (std::filesystem::temp_directory_path() / "rlhf-algorithms-XXXXXX").string();
    if (!::mkdtemp(name.data())) ADD_FAILURE() << "no scratch folder";
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  RunOptions run(const std::string& name, bool resume = false, std::function<bool()> stop = {}) const {
    return {.folder = path_ / name, .resume = resume, .stop_requested = std::move(stop), .quiet = true};
  }
  std::string text(const std::string& name) const {
    std::ifstream file(path_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline void write_nothing(const std::filesystem::path& folder) { std::ofstream(folder / "config.json") << "{}"; }

/// One metric of each step, from a run's metrics.jsonl.
inline std::vector<double> metric(const Scratch& scratch, const std::string& run, const std::string& name) {
  std::vector<double> values;
  std::ifstream file(scratch.path() / run / "metrics.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto row = nlohmann::json::parse(line);
    if (row.contains(name)) values.push_back(row[name].get<double>());
  }
  return values;
}

inline bool same_bits(const std::vector<std::pair<std::string, Tensor>>& one, const std::vector<std::pair<std::string, Tensor>>& two) {
  if (one.size() != two.size()) return false;
  for (std::size_t i = 0; i < one.size(); ++i)
    if (one[i].first != two[i].first || !at::equal(one[i].second, two[i].second)) return false;
  return true;
}

}  // namespace rlhf::algorithms
