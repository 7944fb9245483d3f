#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "rlhf/core/error.h"

namespace rlhf::serving {

/// A field of a request's JSON body. Throws rlhf::Error (bad_data) for another type.
template <class T>
std::optional<T> body_optional(const nlohmann::json& body, const char* name) {
  const auto found = body.is_object() ? body.find(name) : body.end();
  if (!body.is_object() || found == body.end() || found->is_null()) return std::nullopt;
  try {
    return found->template get<T>();
  } catch (const nlohmann::json::exception&) {
    throw Error({.category = Category::bad_data,
                 .where = name,
                 .what = std::string("it has the wrong type: ") + found->type_name(),
                 .fix = "See docs/http_api.md."});
  }
}

/// The same for a field that has to be there.
template <class T>
T body_field(const nlohmann::json& body, const char* name) {
  if (auto value = body_optional<T>(body, name)) return std::move(*value);
  throw Error({.category = Category::bad_data,
               .where = name,
               .what = "it is missing from the request",
               .fix = "See docs/http_api.md."});
}

}  // namespace rlhf::serving
