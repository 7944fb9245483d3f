#include "rlhf/core/toml_text.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/core/toml_parse.h"

namespace rlhf {

using nlohmann::json;

json toml_as_json(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    json object = json::object();
    for (const auto& [key, value] : *table) object[std::string(key.str())] = toml_as_json(value);
    return object;
  }
  if (const auto* array = node.as_array()) {
    json items = json::array();
    for (const auto& item : *array) items.push_back(toml_as_json(item));
    return items;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* truth = node.as_boolean()) return truth->get();
  return json::object();
}

toml::table parse_toml(std::string_view text, const std::string& where) {
  try {
    return toml::parse(text, where);
  } catch (const toml::parse_error& error) {
    const auto begin = error.source().begin;
    throw Error({.category = Category::bad_data,
                 .where = fmt::format("{}:{}:{}", where, begin.line, begin.column),
                 .what = fmt::format("this is not TOML: {}", error.description()),
                 .fix = "Text values need quotes; a table is started by [name]."});
  }
}

json toml_document(std::string_view text, const std::string& where) { return toml_as_json(parse_toml(text, where)); }

json toml_value(std::string_view text) {
  try {
    return toml_as_json(*toml::parse(fmt::format("value = {}", text)).get("value"));
  } catch (const toml::parse_error&) {
    return std::string(text);
  }
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
          out += fmt::format("\\u{:04X}", static_cast<int>(c));
        else
          out += c;
    }
  }
  return out + '"';
}

std::string toml_number(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  auto digits = fmt::format("{}", number);
  if (digits.find_first_of(".e") == std::string::npos) digits += ".0";
  return digits;
}

}  // namespace rlhf
