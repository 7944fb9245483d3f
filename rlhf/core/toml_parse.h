#pragma once
#include <toml++/toml.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace rlhf {

// Private to core: a heavy include.

/// Throws Error(bad_data) with line and column.
toml::table parse_toml(std::string_view text, const std::string& where);
/// Dates and times become an empty object: no setting takes one.
nlohmann::json toml_as_json(const toml::node& node);

}  // namespace rlhf
