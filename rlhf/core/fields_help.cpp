#include <fmt/format.h>

#include <algorithm>

#include "rlhf/core/field_value.h"
#include "rlhf/core/fields.h"

namespace rlhf {
namespace {

constexpr std::size_t help_column = 38, help_width = 110;

// Breaks `text` at spaces into lines that begin at help_column.
std::string wrapped(const std::string& text) {
  std::string out;
  std::size_t column = help_column, begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find(' ', begin), text.size());
    const auto word = text.substr(begin, end - begin);
    if (column > help_column && column + 1 + word.size() > help_width) {
      out += '\n' + std::string(help_column, ' ');
      column = help_column;
    }
    if (column > help_column) out += ' ';
    out += word;
    column += word.size() + 1;
    begin = end + 1;
  }
  return out;
}

std::string help_line(const Field& field) {
  std::string flag = field.path;
  std::replace(flag.begin(), flag.end(), '_', '-');
  std::string left = fmt::format("  --{} {}", flag, type_of(field));
  left += left.size() + 2 > help_column ? '\n' + std::string(help_column, ' ')
                                        : std::string(help_column - left.size(), ' ');
  const auto value = as_toml(value_of(field));
  return left + wrapped(fmt::format("{} (default: {})", field.help, value.empty() ? "none" : value)) + '\n';
}

}  // namespace

std::string help_text(const Fields& fields) {
  std::string out;
  const auto settings_of = [&](const std::string& group) {
    for (const auto& field : fields.all()) {
      if (group_of(field.path) == group) out += help_line(field);
    }
  };
  settings_of("");
  for (const auto& group : fields.groups()) {
    out += fmt::format("\n{}: {}\n", group.path, group.help);
    settings_of(group.path);
  }
  return out;
}

}  // namespace rlhf
