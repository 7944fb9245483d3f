#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "rlhf/core/fields.h"

namespace rlhf {

// What files, flags and the environment share: one value of one setting. JSON is the form they meet in.

/// "kl-target" and "kl_target" are the same setting; this is how it is stored.
std::string normal_path(std::string_view path);

/// "kl.schedule.target" is in "kl.schedule", "clip" in "".
std::string group_of(const std::string& path);

nlohmann::json value_of(const Field& field);

/// Throws Error(usage) with `where`, what was expected and what was found.
void assign(const Field& field, const nlohmann::json& value, const std::string& where);
/// The same from a flag or an environment variable.
void assign_text(const Field& field, std::string_view text, const std::string& where);

/// "number", "list of text", "fixed|adaptive": for --help and messages.
std::string type_of(const Field& field);
bool is_switch(const Field& field);  // true or false, no value needed on the command line

/// The value as TOML writes it; "" when an optional one is not set.
std::string as_toml(const nlohmann::json& value);

/// Throws Error(usage): no such setting, with the one that was probably meant.
[[noreturn]] void throw_unknown(const Fields& fields, std::string_view path, const std::string& where);

}  // namespace rlhf
