#pragma once
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace rlhf {

/// A setting that is one of a few named values (an enum, as a rule).
struct Choice {
  std::vector<std::string> names;
  std::function<std::size_t()> read;       // index of the present value; names.size() when it has no name
  std::function<void(std::size_t)> write;  // sets the value with this index
};

/// Where a setting lives, by type. Every type a config struct may have is in this list.
using FieldTarget =
    std::variant<bool*, int*, std::int64_t*, std::uint64_t*, double*, std::string*, std::filesystem::path*,
                 std::vector<std::string>*, std::vector<double>*, std::vector<std::int64_t>*, std::optional<bool>*,
                 std::optional<int>*, std::optional<std::int64_t>*, std::optional<std::uint64_t>*,
                 std::optional<double>*, std::optional<std::string>*, std::optional<std::filesystem::path>*, Choice>;

struct Field {
  std::string path;  // "kl.target": groups joined by dots
  std::string help;
  FieldTarget target;
};

struct FieldGroup {
  std::string path;  // "kl"
  std::string help;
};

/// The one list behind files, flags, --help and a run's record. A config struct fills it:
///
///   struct PpoConfig {
///     double clip = 0.2;
///     KlConfig kl;
///     void fields(Fields& f) {
///       f.field("clip", clip, "ratio kept within 1 ± clip");
///       f.group("kl", kl, "penalty on the distance to the reference");
///     }
///     void validate() const;  // optional; called once everything is set; throws Error with where = the field's name
///   };
///
/// It holds pointers into the struct: use it while the struct stays where it is.
class Fields {
 public:
  template <class T>
  void field(std::string_view name, T& member, std::string_view help) {
    static_assert(std::is_constructible_v<FieldTarget, T*>,
                  "FieldTarget (rlhf/core/fields.h) lists the types a setting can have");
    add(name, FieldTarget(&member), help);
  }

  template <class T>
  void choice(std::string_view name, T& member,
              std::initializer_list<std::pair<std::string_view, std::type_identity_t<T>>> options,
              std::string_view help) {
    std::vector<std::string> names;
    std::vector<T> values;
    for (const auto& [option, value] : options) {
      names.emplace_back(option);
      values.push_back(value);
    }
    auto read = [values, &member] {
      std::size_t index = 0;
      while (index < values.size() && !(values[index] == member)) ++index;
      return index;
    };
    auto write = [values, &member](std::size_t index) { member = values[index]; };
    add(name, Choice{std::move(names), std::move(read), std::move(write)}, help);
  }

  template <class Group>
  void group(std::string_view name, Group& nested, std::string_view help) {
    const auto outer = enter(name, help);
    nested.fields(*this);
    if constexpr (requires(const Group& g) { g.validate(); }) add_check([&nested] { nested.validate(); });
    leave(outer);
  }

  const std::vector<Field>& all() const { return fields_; }
  const std::vector<FieldGroup>& groups() const { return groups_; }

  /// The field with this path (`-` and `_` are equal), or null.
  const Field* find(std::string_view path) const;
  /// Is it a group's path?
  bool has_group(std::string_view path) const;

  /// Adds a check that `validate` runs; `where` of an Error it throws is taken to be relative to the current group.
  void add_check(std::function<void()> check);
  const std::vector<std::pair<std::string, std::function<void()>>>& checks() const { return checks_; }

 private:
  void add(std::string_view name, FieldTarget target, std::string_view help);
  std::string enter(std::string_view name, std::string_view help);  // returns the outer prefix
  void leave(std::string outer);

  std::string prefix_;
  std::vector<Field> fields_;
  std::vector<FieldGroup> groups_;
  std::vector<std::pair<std::string, std::function<void()>>> checks_;  // (group path, check)
};

/// Where each value came from: "ppo.toml:3", "RLHF_KL__TARGET", "flag". A path that is missing has its default.
using Origins = std::map<std::string, std::string>;

/// What a configuration is made of, weakest first: defaults, files from left to right, environment, overrides.
struct ConfigSources {
  std::vector<std::filesystem::path> files;  // TOML
  bool environment = true;                   // RLHF_<PATH>, dots written `__`: RLHF_KL__TARGET=6
  std::vector<std::string> overrides;        // "kl.target=6", "--kl.target=6", or "--kl.target" followed by "6"
};

/// A config struct, or anything else (a Job) with `void fields(Fields&)`.
template <class Config>
concept Configurable = requires(Config& config, Fields& f) { config.fields(f); };

/// Reading the list needs no write access, although `fields` is not const: one list serves reading and writing.
template <Configurable Config>
Fields fields_of(const Config& config) {
  Fields f;
  const_cast<Config&>(config).fields(f);
  if constexpr (requires { config.validate(); }) f.add_check([&config] { config.validate(); });
  return f;
}

// The same operations on the type-erased list. Every wrong key or value throws rlhf::Error (Category::usage, or
// bad_data where a file is no TOML) with file:line:column, flag or variable, what was expected, and the nearest known
// name.

/// `text` is TOML; `where` names it in messages and origins.
void load_toml_text(const Fields& fields, std::string_view text, const std::string& where, Origins* origins = nullptr);
void load_toml(const Fields& fields, const std::filesystem::path& file, Origins* origins = nullptr);
/// Returns the RLHF_* variables that name no setting here (they may be meant for another command).
std::vector<std::string> apply_environment(const Fields& fields, Origins* origins = nullptr);
/// "a.b=value", with or without leading dashes. Lists: "a,b" or "[a, b]"; an optional is unset by "none".
void apply_override(const Fields& fields, std::string_view assignment, std::string_view origin = "flag",
                    Origins* origins = nullptr);
/// A command line's rest: "a.b=v", "--a.b=v", "--a.b v", "--switch", "--no-switch".
void apply_flags(const Fields& fields, std::span<const std::string> arguments, Origins* origins = nullptr);
/// Runs every `validate`; an Error about a field says where that field's value came from.
void validate(const Fields& fields, const Origins& origins = {});
/// Complete TOML, the origin of each value as a trailing comment.
std::string to_toml(const Fields& fields, const Origins& origins = {});
/// A table of --name, type, help and default.
std::string help_text(const Fields& fields);
nlohmann::json to_json(const Fields& fields);
/// Keys that are missing keep their value; unknown ones are errors. `where` names the source in messages.
void from_json(const Fields& fields, const nlohmann::json& values, const std::string& where = "json");
/// All of it in order, then `validate`. Returns where each value came from.
Origins configure(const Fields& fields, const ConfigSources& sources);

template <Configurable Config>
void load_toml(Config& config, const std::filesystem::path& file, Origins* origins = nullptr) {
  load_toml(fields_of(config), file, origins);
}
template <Configurable Config>
void load_toml_text(Config& config, std::string_view text, const std::string& where, Origins* origins = nullptr) {
  load_toml_text(fields_of(config), text, where, origins);
}
template <Configurable Config>
void apply_override(Config& config, std::string_view assignment, std::string_view origin = "flag",
                    Origins* origins = nullptr) {
  apply_override(fields_of(config), assignment, origin, origins);
}
template <Configurable Config>
void validate(const Config& config, const Origins& origins = {}) {
  validate(fields_of(config), origins);
}
template <Configurable Config>
std::string to_toml(const Config& config, const Origins& origins = {}) {
  return to_toml(fields_of(config), origins);
}
template <Configurable Config>
std::string help_text(const Config& config) {
  return help_text(fields_of(config));
}
template <Configurable Config>
auto to_json(const Config& config) {  // nlohmann::json
  return to_json(fields_of(config));
}
template <Configurable Config>
void from_json(Config& config, const nlohmann::json& values, const std::string& where = "json") {
  from_json(fields_of(config), values, where);
}
template <Configurable Config>
Origins configure(Config& config, const ConfigSources& sources) {
  return configure(fields_of(config), sources);
}

}  // namespace rlhf
