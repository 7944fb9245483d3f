#include "rlhf/serving/headers.h"

#include <algorithm>

#include "rlhf/core/error.h"

namespace rlhf::serving {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void require_one_line(std::string_view name, std::string_view text) {
  const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  if (std::none_of(text.begin(), text.end(), breaks)) return;
  throw Error({.category = Category::failure,
               .where = "header " + std::string(name),
               .what = "the value of a response header holds a line break",
               .fix = "Encode what comes from users before it becomes a header."});
}

}  // namespace

bool equal_ignoring_case(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view Headers::get(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (equal_ignoring_case(key, name)) return value;
  return {};
}

int Headers::count(std::string_view name) const {
  return static_cast<int>(std::count_if(fields_.begin(), fields_.end(),
                                        [&](const auto& field) { return equal_ignoring_case(field.first, name); }));
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Headers::add(std::string_view name, std::string_view value) {
  require_one_line(name, name);
  require_one_line(name, value);
  fields_.emplace_back(name, value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) { return equal_ignoring_case(field.first, name); });
}

}  // namespace rlhf::serving
