#include <fmt/format.h>

#include <algorithm>

#include "rlhf/core/error.h"
#include "rlhf/core/field_value.h"
#include "rlhf/core/fields.h"

namespace rlhf {
namespace {

using nlohmann::json;

json::json_pointer pointer_to(std::string path) {
  std::replace(path.begin(), path.end(), '.', '/');
  return json::json_pointer("/" + path);
}

void read(const Fields& fields, const json& object, const std::string& prefix, const std::string& where) {
  for (const auto& [key, value] : object.items()) {
    const auto path = normal_path(prefix + key);
    const auto place = where + ": " + path;
    if (const auto* field = fields.find(path)) {
      assign(*field, value, place);
    } else if (!fields.has_group(path)) {
      throw_unknown(fields, prefix + key, place);
    } else if (value.is_object()) {
      read(fields, value, path + ".", where);
    } else {
      throw Error({.category = Category::usage,
                   .where = place,
                   .what = fmt::format("\"{}\" is a group of settings, not one value", path),
                   .fix = "Give an object with its settings."});
    }
  }
}

}  // namespace

json to_json(const Fields& fields) {
  json out = json::object();
  for (const auto& group : fields.groups()) out[pointer_to(group.path)] = json::object();
  for (const auto& field : fields.all()) out[pointer_to(field.path)] = value_of(field);
  return out;
}

void from_json(const Fields& fields, const json& values, const std::string& where) {
  if (!values.is_object()) {
    throw Error({.category = Category::bad_data, .where = where, .what = "expected an object of settings", .fix = ""});
  }
  read(fields, values, "", where);
}

}  // namespace rlhf
