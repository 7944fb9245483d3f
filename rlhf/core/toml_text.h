#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace rlhf {

/// One TOML value ("[1, 2]") as JSON; text that is no TOML comes back as a JSON string.
nlohmann::json toml_value(std::string_view text);
/// A document as JSON; throws Error(bad_data) with line and column.
nlohmann::json toml_document(std::string_view text, const std::string& where);

/// Quoted and escaped.
std::string toml_string(std::string_view text);
/// The shortest digits that read back to the same bits, with a point or an exponent.
std::string toml_number(double number);

}  // namespace rlhf
