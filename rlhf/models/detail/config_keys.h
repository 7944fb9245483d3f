#pragma once
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/models/language_model.h"

namespace rlhf::models {

/// Reads a config.json key by key; a missing or wrong one is an error that names it.
class ConfigKeys {
 public:
  explicit ConfigKeys(const nlohmann::json& config) : config_(config) {}

  std::int64_t integer(const std::string& key, std::optional<std::int64_t> otherwise = std::nullopt) const;
  double number(const std::string& key, double otherwise) const;
  bool flag(const std::string& key, bool otherwise) const;
  std::string text(const std::string& key, std::optional<std::string> otherwise = std::nullopt) const;

  /// Throws unless the key has one of the supported values.
  void require(const std::string& key, std::initializer_list<const char*> supported, const std::string& otherwise) const;

  /// Throws unless `many` is a multiple of `few`.
  void require_divides(const std::string& many_key, std::int64_t many, const std::string& few_key, std::int64_t few) const;

  /// Tokens a layer looks back at, itself included; 0 = all.
  std::int64_t sliding_window(std::int64_t layer, const std::string& family) const;

 private:
  [[noreturn]] void fail(const std::string& key, const std::string& problem) const;
  nlohmann::json config_;
};

/// Reads tensors and checks their shapes against the config.
struct TensorReader {
  const WeightSource& source;

  Tensor tensor(const std::string& name, std::vector<std::int64_t> shape) const;
  Linear linear(const std::string& path, std::int64_t out, std::int64_t in, bool bias) const;
};

}  // namespace rlhf::models
