#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/models/language_model.h"

namespace rlhf::models {

/// Which layers an adapter_config.json chooses, and with which rank and alpha: target_modules (a list of endings, a
/// regular expression or "all-linear"), exclude_modules, layers_to_transform, rank_pattern, alpha_pattern.
class AdapterTargets {
 public:
  /// Throws rlhf::Error (bad_data, `where`) for settings of the wrong type.
  AdapterTargets(const nlohmann::ordered_json& config, const std::filesystem::path& where);

  /// False where a regular expression uses what RE2 doesn't know (look-ahead): then the tensors alone decide.
  bool certain() const { return certain_; }
  bool chosen(const std::string& path) const;

  std::int64_t rank(const std::string& path, std::int64_t otherwise) const;
  double alpha(const std::string& path, double otherwise) const;

 private:
  struct Modules {
    bool given = false, all = false;
    std::string expression;  // matches the whole path
    std::vector<std::string> endings;
    bool matches(const std::string& path) const;
  };

  Modules read_modules(const nlohmann::ordered_json& config, const char* key, const std::filesystem::path& where);
  bool right_layer(const std::string& path) const;

  bool certain_ = true;
  Modules target_, excluded_;
  std::vector<std::int64_t> layers_;
  nlohmann::ordered_json ranks_, alphas_;
};

/// The shortest names that choose exactly the layers that carry an adapter: their last parts, or whole paths.
std::vector<std::string> names_of_adapted(LanguageModel& model);

}  // namespace rlhf::models
