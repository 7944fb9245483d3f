#include "app/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <variant>

#include "rlhf/core/error.h"

namespace rlhf::app {
namespace {

bool is_switch(const Field& field) {
  return std::holds_alternative<bool*>(field.target) || std::holds_alternative<std::optional<bool>*>(field.target);
}

bool is_flag(const std::string& argument) { return argument.starts_with("--") && argument.size() > 2; }

/// Does the flag (without "=") take the next argument as its value?
bool takes_next(const Fields& fields, const std::string& flag) {
  const auto name = std::string_view(flag).substr(2);
  if (const auto* field = fields.find(name)) return !is_switch(*field);
  if (!name.starts_with("no-") && !name.starts_with("no_")) apply_flags(fields, {&flag, 1});  // throws: what was meant?
  return false;
}

struct Sorted {
  ConfigSources sources;
  std::vector<std::string> places;  // arguments without dashes
};

Sorted sort_arguments(const std::vector<std::string>& arguments, const Fields& fields) {
  Sorted sorted;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    const bool has_next = i + 1 < arguments.size();
    if (argument == "-c" || argument == "--config") {
      if (!has_next) throw Error({.category = Category::usage, .where = argument, .what = "a file name is missing"});
      sorted.sources.files.emplace_back(arguments[++i]);
    } else if (is_flag(argument)) {
      const bool pair = argument.find('=') == std::string::npos && has_next && takes_next(fields, argument);
      sorted.sources.overrides.push_back(pair ? argument + "=" + arguments[i + 1] : argument);
      if (pair) ++i;
    } else if (argument.size() > 1 && argument[0] == '-' && std::isalpha(static_cast<unsigned char>(argument[1]))) {
      throw Error({.category = Category::usage,
                   .where = argument,
                   .what = "there is no such short flag",
                   .fix = "Write the long one with two dashes; --help lists them."});
    } else {
      sorted.places.push_back(argument);
    }
  }
  return sorted;
}

}  // namespace

bool read_settings(const Invocation& call, const Usage& usage, const Fields& fields) {
  const auto& arguments = call.arguments;
  if (std::any_of(arguments.begin(), arguments.end(), [](auto& each) { return each == "--help" || each == "-h"; })) {
    std::cout << "usage: " << usage.synopsis << "\n\n" << usage.description << "\n\n" << help_text(fields);
    return false;
  }
  auto sorted = sort_arguments(arguments, fields);
  for (std::size_t i = 0; i < sorted.places.size(); ++i) {
    if (i >= usage.positional.size()) {
      throw Error({.category = Category::usage,
                   .where = sorted.places[i],
                   .what = "was not expected here",
                   .fix = fmt::format("Usage: {}.", usage.synopsis)});
    }
    sorted.sources.overrides.push_back(fmt::format("--{}={}", usage.positional[i], sorted.places[i]));
  }
  configure(fields, sorted.sources);
  return true;
}

void require_given(std::string_view name, const std::string& value, std::string_view example) {
  if (!value.empty()) return;
  throw Error({.category = Category::usage,
               .where = fmt::format("--{}", name),
               .what = "is missing",
               .fix = fmt::format("For example: {}", example)});
}

}  // namespace rlhf::app
