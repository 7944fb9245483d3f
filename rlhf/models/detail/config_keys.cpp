#include "rlhf/models/detail/config_keys.h"

#include <algorithm>

#include "rlhf/core/error.h"

namespace rlhf::models {

void ConfigKeys::fail(const std::string& key, const std::string& problem) const {
  throw Error({.category = Category::bad_data,
               .where = "config.json: " + key,
               .what = problem,
               .fix = "Take the config.json that belongs to the weights."});
}

std::int64_t ConfigKeys::integer(const std::string& key, std::optional<std::int64_t> otherwise) const {
  if (!config_.contains(key) || config_[key].is_null()) {
    if (otherwise) return *otherwise;
    fail(key, "the key is missing");
  }
  const auto& value = config_[key];
  if (!value.is_number_integer()) fail(key, "expected a whole number, found " + value.dump());
  const auto number = value.get<std::int64_t>();
  // No published model comes near; a larger number would overflow the sizes computed from it.
  if (number <= 0 || number > (std::int64_t{1} << 31)) fail(key, "expected 1 to 2^31, found " + value.dump());
  return number;
}

double ConfigKeys::number(const std::string& key, double otherwise) const {
  if (!config_.contains(key) || config_[key].is_null()) return otherwise;
  if (!config_[key].is_number()) fail(key, "expected a number, found " + config_[key].dump());
  return config_[key].get<double>();
}

bool ConfigKeys::flag(const std::string& key, bool otherwise) const {
  if (!config_.contains(key) || config_[key].is_null()) return otherwise;
  if (!config_[key].is_boolean()) fail(key, "expected true or false, found " + config_[key].dump());
  return config_[key].get<bool>();
}

std::string ConfigKeys::text(const std::string& key, std::optional<std::string> otherwise) const {
  if (!config_.contains(key) || config_[key].is_null()) {
    if (otherwise) return *otherwise;
    fail(key, "the key is missing");
  }
  if (!config_[key].is_string()) fail(key, "expected a text, found " + config_[key].dump());
  return config_[key].get<std::string>();
}

void ConfigKeys::require(const std::string& key, std::initializer_list<const char*> supported,
                         const std::string& otherwise) const {
  const auto value = text(key, otherwise);
  if (std::find(supported.begin(), supported.end(), value) != supported.end()) return;
  std::string list;
  for (const auto* name : supported) list += (list.empty() ? "" : ", ") + std::string(name);
  fail(key, "\"" + value + "\" is not supported; supported: " + list);
}

void ConfigKeys::require_divides(const std::string& many_key, std::int64_t many, const std::string& few_key,
                                 std::int64_t few) const {
  if (many % few != 0) {
    fail(many_key, std::to_string(many) + " is not a multiple of " + few_key + " (" + std::to_string(few) + ")");
  }
}

std::int64_t ConfigKeys::sliding_window(std::int64_t layer, const std::string& family) const {
  // Qwen writes a window into every config.json and a switch that is nearly always off; Mistral has no switch.
  if (!flag("use_sliding_window", family == "mistral")) return 0;
  const auto window = integer("sliding_window", 0x7fffffff);
  if (config_.contains("layer_types") && config_["layer_types"].is_array()) {
    const auto& types = config_["layer_types"];
    if (static_cast<std::size_t>(layer) >= types.size()) fail("layer_types", "fewer entries than layers");
    return types[layer] == "sliding_attention" ? window : 0;
  }
  const bool full = family != "mistral" && layer < integer("max_window_layers", 1);
  return full ? 0 : window;
}

Tensor TensorReader::tensor(const std::string& name, std::vector<std::int64_t> shape) const {
  auto found = source.make ? source.make(name, shape) : source.tensor(name);
  if (found.sizes() == at::IntArrayRef(shape)) return found;
  const auto text = [](at::IntArrayRef sizes) {
    std::string joined;
    for (const auto size : sizes) joined += (joined.empty() ? "" : ", ") + std::to_string(size);
    return "[" + joined + "]";
  };
  throw Error({.category = Category::bad_data,
               .where = name,
               .what = "the tensor has shape " + text(found.sizes()) + "; config.json asks for " + text(shape),
               .fix = "Use the config.json that belongs to the weights."});
}

Linear TensorReader::linear(const std::string& path, std::int64_t out, std::int64_t in, bool bias) const {
  return {.weight = tensor(path + ".weight", {out, in}),
          .bias = bias ? tensor(path + ".bias", {out}) : Tensor(),
          .lora = std::nullopt};
}

}  // namespace rlhf::models
