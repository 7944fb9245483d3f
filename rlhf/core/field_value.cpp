#include "rlhf/core/field_value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "rlhf/core/error.h"
#include "rlhf/core/spelling.h"
#include "rlhf/core/toml_text.h"

namespace rlhf {
namespace {

using nlohmann::json;

template <class T>
struct Shape {  // a plain type
  using Inner = T;
  static constexpr bool list = false, optional = false;
};
template <class T>
struct Shape<std::vector<T>> {
  using Inner = T;
  static constexpr bool list = true, optional = false;
};
template <class T>
struct Shape<std::optional<T>> {
  using Inner = T;
  static constexpr bool list = false, optional = true;
};

template <class T>
std::string noun() {
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_same_v<T, int> || std::is_same_v<T, std::int64_t>) return "integer";
  if constexpr (std::is_same_v<T, std::uint64_t>) return "integer >= 0";
  if constexpr (std::is_same_v<T, double>) return "number";
  if constexpr (std::is_same_v<T, std::string>) return "text";
  if constexpr (std::is_same_v<T, std::filesystem::path>) return "path";
}

template <class Integer>
bool convert_integer(const json& value, Integer& out) {
  if (value.is_number_float()) {  // 1e6 is a handy way to write an integer
    const double number = value.get<double>();
    const bool whole = std::floor(number) == number && std::abs(number) < 9007199254740992.0;  // 2^53
    return whole && convert_integer(json(static_cast<std::int64_t>(number)), out);
  }
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    out = static_cast<Integer>(number);
    return std::in_range<Integer>(number);
  }
  if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    out = static_cast<Integer>(number);
    return std::in_range<Integer>(number);
  }
  return false;
}

template <class T>
bool convert(const json& value, T& out) {
  if constexpr (std::is_same_v<T, bool>) {
    if (value.is_boolean()) out = value.get<bool>();
    return value.is_boolean();
  } else if constexpr (std::is_integral_v<T>) {
    if constexpr (std::is_same_v<T, std::uint64_t>) {  // TOML's integers end at 2^63 - 1: larger ones are quoted
      if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
        return status == std::errc() && end == text.data() + text.size();
      }
    }
    return convert_integer(value, out);
  } else if constexpr (std::is_same_v<T, double>) {
    if (value.is_number()) out = value.get<double>();
    return value.is_number();
  } else {  // text, path
    if (value.is_string()) out = value.get<std::string>();
    return value.is_string();
  }
}

// Assigns only if all of `value` fits, so that a refused value changes nothing.
template <class T>
bool accept(const json& value, T& target) {
  if constexpr (Shape<T>::optional) {
    if (value.is_null() || value == json("none")) {
      target.reset();
      return true;
    }
    typename Shape<T>::Inner inner{};
    const bool fits = convert(value, inner);
    if (fits) target = std::move(inner);
    return fits;
  } else if constexpr (Shape<T>::list) {
    if (!value.is_array()) return false;
    T items;
    for (const auto& item : value) {
      typename Shape<T>::Inner inner{};
      if (!convert(item, inner)) return false;
      items.push_back(std::move(inner));
    }
    target = std::move(items);
    return true;
  } else {
    T inner{};
    const bool fits = convert(value, inner);
    if (fits) target = std::move(inner);
    return fits;
  }
}

bool accept_choice(const json& value, const Choice& choice) {
  if (!value.is_string()) return false;
  const auto found = std::find(choice.names.begin(), choice.names.end(), value.get_ref<const std::string&>());
  if (found == choice.names.end()) return false;
  choice.write(static_cast<std::size_t>(found - choice.names.begin()));
  return true;
}

template <class T>
json plain(const T& value) {
  if constexpr (std::is_same_v<T, std::filesystem::path>)
    return value.string();
  else
    return value;
}

std::string found(const json& value) {
  switch (value.type()) {
    case json::value_t::object:
      return "a table";
    case json::value_t::array:
      return fmt::format("the list {}", value.dump(-1, ' ', false, json::error_handler_t::replace));
    case json::value_t::string:
      return fmt::format("the text \"{}\"", value.get_ref<const std::string&>());
    case json::value_t::null:
      return "nothing";
    case json::value_t::number_float:
      return fmt::format("the number {}", as_toml(value));
    default:
      return value.dump();
  }
}

json number_from_text(std::string_view text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [](char c) { return c != '_'; });
  if (digits.starts_with('+')) digits.erase(0, 1);
  const char *begin = digits.data(), *end = begin + digits.size();
  std::int64_t integer = 0;
  if (const auto [stop, status] = std::from_chars(begin, end, integer); status == std::errc() && stop == end)
    return integer;
  std::uint64_t large = 0;
  if (const auto [stop, status] = std::from_chars(begin, end, large); status == std::errc() && stop == end)
    return large;
  double number = 0;
  if (const auto [stop, status] = std::from_chars(begin, end, number); status == std::errc() && stop == end)
    return number;
  return std::string(text);
}

template <class T>
json plain_from_text(std::string_view text) {
  if constexpr (std::is_same_v<T, bool>) {
    if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
    if (text == "false" || text == "no" || text == "off" || text == "0") return false;
    return std::string(text);
  } else if constexpr (std::is_arithmetic_v<T>) {
    return number_from_text(text);
  } else {
    return std::string(text);
  }
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

template <class T>
json list_from_text(std::string_view text) {
  if (text.starts_with('[')) return toml_value(text);
  json items = json::array();
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    items.push_back(plain_from_text<T>(trimmed(text.substr(0, comma))));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

}  // namespace

std::string type_of(const Field& field) {
  return std::visit(Overloaded{[](const Choice& choice) { return fmt::format("{}", fmt::join(choice.names, "|")); },
                               []<class T>(const T* const&) {
                                 const auto inner = noun<typename Shape<T>::Inner>();
                                 if (Shape<T>::list) return "list of " + inner + "s";
                                 return Shape<T>::optional ? inner + " or none" : inner;
                               }},
                    field.target);
}

bool is_switch(const Field& field) {
  return std::holds_alternative<bool*>(field.target) || std::holds_alternative<std::optional<bool>*>(field.target);
}

json value_of(const Field& field) {
  return std::visit(Overloaded{[](const Choice& choice) -> json {
                                 const auto index = choice.read();
                                 if (index < choice.names.size()) return choice.names[index];
                                 return nullptr;
                               },
                               []<class T>(T* target) -> json {
                                 if constexpr (Shape<T>::optional) {
                                   if (!*target) return nullptr;
                                   return plain(**target);
                                 } else {
                                   return plain(*target);
                                 }
                               }},
                    field.target);
}

void assign(const Field& field, const json& value, const std::string& where) {
  const bool fits = std::visit(Overloaded{[&](const Choice& choice) { return accept_choice(value, choice); },
                                          [&](auto* target) { return accept(value, *target); }},
                               field.target);
  if (fits) return;
  std::string fix;
  if (const auto* choice = std::get_if<Choice>(&field.target); choice && value.is_string()) {
    const auto meant = nearest(value.get_ref<const std::string&>(), choice->names);
    fix = meant ? fmt::format("Did you mean \"{}\"?", *meant) : "";
  }
  throw Error(
      {.category = Category::usage,
       .where = where,
       .what = fmt::format("{} is to be {}{}; found {}", field.path,
                           std::holds_alternative<Choice>(field.target) ? "one of " : "", type_of(field), found(value)),
       .fix = fix});
}

void assign_text(const Field& field, std::string_view text, const std::string& where) {
  const json value = std::visit(Overloaded{[&](const Choice&) -> json { return std::string(text); },
                                           [&]<class T>(T* const&) -> json {
                                             using Inner = typename Shape<T>::Inner;
                                             if constexpr (Shape<T>::list) return list_from_text<Inner>(trimmed(text));
                                             if (Shape<T>::optional && text == "none") return nullptr;
                                             return plain_from_text<Inner>(text);
                                           }},
                                field.target);
  assign(field, value, where);
}

std::string as_toml(const json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return toml_string(value.get_ref<const std::string&>());
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const auto& item : value) items.push_back(as_toml(item));
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    return fmt::format("\"{}\"", value.get<std::uint64_t>());
  }
  if (value.is_number_float()) return toml_number(value.get<double>());
  return value.dump();
}

void throw_unknown(const Fields& fields, std::string_view path, const std::string& where) {
  const auto last_name = [](std::string_view full) { return std::string(full.substr(full.rfind('.') + 1)); };
  std::vector<std::string> paths, names;
  for (const auto& field : fields.all()) {
    paths.push_back(field.path);
    names.push_back(last_name(field.path));
  }
  for (const auto& group : fields.groups()) paths.push_back(group.path);
  auto meant = nearest(normal_path(path), paths);
  if (!meant) {  // the right name in the wrong group
    if (const auto name = nearest(last_name(normal_path(path)), names)) {
      meant = paths[static_cast<std::size_t>(std::find(names.begin(), names.end(), *name) - names.begin())];
    }
  }
  throw Error({.category = Category::usage,
               .where = where,
               .what = fmt::format("there is no setting \"{}\"", path),
               .fix = meant ? fmt::format("Did you mean \"{}\"?", *meant) : "See --help for the list of settings."});
}

}  // namespace rlhf
