#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "rlhf/core/error.h"
#include "rlhf/core/field_value.h"
#include "rlhf/core/fields.h"

extern char** environ;

namespace rlhf {
namespace {

// kl.target -> RLHF_KL__TARGET
std::string variable_of(const std::string& path) {
  std::string name = "RLHF_";
  for (const char c : path) {
    if (c == '.')
      name += "__";
    else
      name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string_view without_dashes(std::string_view argument) {
  return argument.substr(std::min(argument.find_first_not_of('-'), argument.size()));
}

const Field& known(const Fields& fields, std::string_view path, const std::string& where) {
  if (const auto* field = fields.find(path)) return *field;
  if (fields.has_group(path)) {
    throw Error({.category = Category::usage,
                 .where = where,
                 .what = fmt::format("\"{}\" is a group of settings, not one value", path),
                 .fix = fmt::format("Name one of them: {}.NAME=VALUE.", path)});
  }
  throw_unknown(fields, path, where);
}

void set(const Field& field, std::string_view text, const std::string& where, std::string_view origin,
         Origins* origins) {
  assign_text(field, text, where);
  if (origins) (*origins)[field.path] = std::string(origin);
}

}  // namespace

std::vector<std::string> apply_environment(const Fields& fields, Origins* origins) {
  std::vector<std::string> unknown;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view assignment = *entry;
    const auto name = std::string(assignment.substr(0, assignment.find('=')));
    if (!name.starts_with("RLHF_")) continue;
    const auto field = std::find_if(fields.all().begin(), fields.all().end(),
                                    [&](const Field& f) { return variable_of(f.path) == name; });
    if (field == fields.all().end())
      unknown.push_back(name);
    else
      set(*field, assignment.substr(name.size() + 1), name, name, origins);
  }
  std::sort(unknown.begin(), unknown.end());
  return unknown;
}

void apply_override(const Fields& fields, std::string_view assignment, std::string_view origin, Origins* origins) {
  const auto equals = assignment.find('=');
  const std::string where(assignment);
  if (equals == std::string_view::npos) {
    throw Error({.category = Category::usage, .where = where, .what = "expected key=value", .fix = ""});
  }
  const auto& field = known(fields, without_dashes(assignment.substr(0, equals)), where);
  set(field, assignment.substr(equals + 1), where, origin, origins);
}

void apply_flags(const Fields& fields, std::span<const std::string> arguments, Origins* origins) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.find('=') != std::string::npos) {
      apply_override(fields, argument, "flag", origins);
      continue;
    }
    const auto name = without_dashes(argument);
    if (name.size() == argument.size()) {
      throw Error({.category = Category::usage,
                   .where = argument,
                   .what = "expected key=value or --key value",
                   .fix = fields.find(name) ? fmt::format("Write {}=VALUE.", name) : ""});
    }
    if (normal_path(name).starts_with("no_") && !fields.find(name)) {
      const auto* positive = fields.find(name.substr(3));
      if (positive && is_switch(*positive)) {
        set(*positive, "false", argument, "flag", origins);
        continue;
      }
    }
    const auto& field = known(fields, name, argument);
    const bool last = i + 1 == arguments.size();
    if (is_switch(field) && (last || (arguments[i + 1] != "true" && arguments[i + 1] != "false"))) {
      set(field, "true", argument, "flag", origins);
    } else if (last) {
      throw Error({.category = Category::usage,
                   .where = argument,
                   .what = fmt::format("a value is missing: {}", type_of(field)),
                   .fix = ""});
    } else {
      set(field, arguments[i + 1], argument + " " + arguments[i + 1], "flag", origins);
      ++i;
    }
  }
}

}  // namespace rlhf
