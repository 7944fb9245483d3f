#include "rlhf/models/adapter_targets.h"

#include <re2/re2.h>

#include <algorithm>
#include <set>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::models {
namespace {

using nlohmann::ordered_json;

[[noreturn]] void bad(const std::filesystem::path& where, std::string what) {
  throw Error({.category = Category::bad_data,
               .where = where.string(),
               .what = std::move(what),
               .fix = "Write the adapter again with PEFT."});
}

bool compiles(const std::string& expression) { return RE2(expression, RE2::Quiet).ok(); }

std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

/// The value of the first pattern that a path ends with, as PEFT looks it up.
const ordered_json* look_up(const ordered_json& patterns, const std::string& path) {
  for (const auto& [pattern, value] : patterns.items())
    if (RE2::FullMatch(path, RE2("(.*\\.)?(" + pattern + ")", RE2::Quiet))) return &value;
  return nullptr;
}

ordered_json read_patterns(const ordered_json& config, const char* key, const std::filesystem::path& where) {
  if (!config.contains(key) || config[key].is_null()) return ordered_json::object();
  if (!config[key].is_object()) bad(where, std::string(key) + " is not an object");
  for (const auto& [pattern, value] : config[key].items()) {
    if (!value.is_number()) bad(where, std::string(key) + "[\"" + pattern + "\"] is " + value.dump());
    if (!compiles(pattern))
      bad(where, std::string(key) + " has the regular expression \"" + pattern + "\", which is not understood");
  }
  return config[key];
}

}  // namespace

AdapterTargets::AdapterTargets(const ordered_json& config, const std::filesystem::path& where)
    : target_(read_modules(config, "target_modules", where)),
      excluded_(read_modules(config, "exclude_modules", where)),
      ranks_(read_patterns(config, "rank_pattern", where)),
      alphas_(read_patterns(config, "alpha_pattern", where)) {
  if (!config.contains("layers_to_transform") || config["layers_to_transform"].is_null()) return;
  const auto& layers = config["layers_to_transform"];
  if (layers.is_number_integer())
    layers_.push_back(layers.get<std::int64_t>());
  else if (layers.is_array() && std::ranges::all_of(layers, [](const auto& item) { return item.is_number_integer(); }))
    layers_ = layers.get<std::vector<std::int64_t>>();
  else
    bad(where, "layers_to_transform is " + layers.dump());
}

AdapterTargets::Modules AdapterTargets::read_modules(const ordered_json& config, const char* key,
                                                     const std::filesystem::path& where) {
  Modules modules;
  if (!config.contains(key) || config[key].is_null()) return modules;
  modules.given = true;
  const auto& value = config[key];
  if (value.is_array() && std::ranges::all_of(value, [](const auto& item) { return item.is_string(); })) {
    modules.endings = value.get<std::vector<std::string>>();
  } else if (value.is_string()) {
    modules.expression = value.get<std::string>();
    modules.all = modules.expression == "all-linear";
    certain_ = certain_ && (modules.all || compiles(modules.expression));
  } else {
    bad(where, std::string(key) + " is " + value.dump());
  }
  return modules;
}

bool AdapterTargets::Modules::matches(const std::string& path) const {
  if (all) return true;
  if (!expression.empty()) return RE2::FullMatch(path, RE2(expression, RE2::Quiet));
  return std::ranges::any_of(endings,
                             [&](const std::string& ending) { return path == ending || path.ends_with("." + ending); });
}

bool AdapterTargets::right_layer(const std::string& path) const {
  if (layers_.empty()) return true;
  // The number of a layer is the first part of its path that is one: "model.layers.3.mlp.up_proj".
  std::int64_t number = -1;
  RE2::PartialMatch(path, "\\.(\\d{1,9})\\.", &number);
  return std::ranges::find(layers_, number) != layers_.end();
}

bool AdapterTargets::chosen(const std::string& path) const {
  return target_.given && target_.matches(path) && !(excluded_.given && excluded_.matches(path)) && right_layer(path);
}

std::int64_t AdapterTargets::rank(const std::string& path, std::int64_t otherwise) const {
  const auto* found = look_up(ranks_, path);
  return found == nullptr ? otherwise : found->get<std::int64_t>();
}

double AdapterTargets::alpha(const std::string& path, double otherwise) const {
  const auto* found = look_up(alphas_, path);
  return found == nullptr ? otherwise : found->get<double>();
}

std::vector<std::string> names_of_adapted(LanguageModel& model) {
  std::set<std::string> names, plain;
  std::vector<std::string> paths;
  for (const auto& [path, layer] : model.linears()) {
    if (layer->lora) paths.push_back(path);
    (layer->lora ? names : plain).insert(last_part(path));
  }
  const bool clean = std::ranges::none_of(names, [&](const std::string& name) { return plain.contains(name); });
  return clean ? std::vector<std::string>(names.begin(), names.end()) : paths;
}

}  // namespace rlhf::models
