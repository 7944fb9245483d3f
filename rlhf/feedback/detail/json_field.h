#pragma once
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace rlhf::feedback::detail {

/// Throws rlhf::Error (bad_data).
[[noreturn]] void fail(std::string_view where, std::string what, std::string fix = "");

/// A member of an object, of the type asked for; throws rlhf::Error (bad_data) when it is not there or another type.
template <class T>
T field(const nlohmann::json& record, const char* name, std::string_view where) {
  if (!record.is_object()) fail(where, "the record is no object");
  const auto found = record.find(name);
  if (found == record.end()) fail(where, std::string("\"") + name + "\" is missing");
  try {
    return found->template get<T>();
  } catch (const nlohmann::json::exception&) {
    fail(where, std::string("\"") + name + "\" has the wrong type: " + found->type_name());
  }
}

/// The same, or `otherwise` when it is not there.
template <class T>
T field_or(const nlohmann::json& record, const char* name, std::string_view where, T otherwise) {
  if (record.is_object() && !record.contains(name)) return otherwise;
  return field<T>(record, name, where);
}

/// A member that is a list of objects.
inline nlohmann::json list(const nlohmann::json& record, const char* name, std::string_view where) {
  auto found = field_or<nlohmann::json>(record, name, where, nlohmann::json::array());
  if (!found.is_array()) fail(where, std::string("\"") + name + "\" has the wrong type: " + found.type_name());
  return found;
}

template <class Enum, std::size_t n>
using Names = std::array<std::pair<Enum, std::string_view>, n>;

template <class Enum, std::size_t n>
std::string_view name_of(const Names<Enum, n>& names, Enum value) {
  for (const auto& [each, name] : names) {
    if (each == value) return name;
  }
  return names[0].second;
}

template <class Enum, std::size_t n>
Enum enum_of(const Names<Enum, n>& names, std::string_view text, std::string_view where, std::string_view field) {
  std::string known;
  for (const auto& [each, name] : names) {
    if (name == text) return each;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  fail(where, "\"" + std::string(field) + "\" is \"" + std::string(text) + "\"; one of " + known + " was expected");
}

}  // namespace rlhf::feedback::detail
