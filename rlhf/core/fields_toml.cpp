#include <fmt/format.h>

#include "rlhf/core/error.h"
#include "rlhf/core/field_value.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/files.h"
#include "rlhf/core/toml_parse.h"

namespace rlhf {
namespace {

struct Reader {
  const Fields& fields;
  const std::string& where;
  Origins* origins;

  std::string place(const toml::source_region& source) const {
    return fmt::format("{}:{}:{}", where, source.begin.line, source.begin.column);
  }

  void read(const toml::table& table, const std::string& prefix) const {
    for (const auto& [key, node] : table) {
      const auto path = normal_path(prefix + std::string(key.str()));
      if (const auto* field = fields.find(path)) {
        assign(*field, toml_as_json(node), place(node.source()));
        if (origins) (*origins)[path] = fmt::format("{}:{}", where, node.source().begin.line);
      } else if (!fields.has_group(path)) {
        throw_unknown(fields, prefix + std::string(key.str()), place(key.source()));
      } else if (const auto* nested = node.as_table()) {
        read(*nested, path + ".");
      } else {
        throw Error({.category = Category::usage,
                     .where = place(node.source()),
                     .what = fmt::format("\"{}\" is a group of settings, not one value", path),
                     .fix = fmt::format("Write [{}] and its settings below.", path)});
      }
    }
  }
};

// One line a setting: key = value  # origin
void write_settings(std::string& out, const Fields& fields, const std::string& group, const Origins& origins) {
  for (const auto& field : fields.all()) {
    if (group_of(field.path) != group) continue;
    const auto key = field.path.substr(group.empty() ? 0 : group.size() + 1);
    const auto found = origins.find(field.path);
    const auto origin = found == origins.end() ? std::string("default") : found->second;
    const auto value = as_toml(value_of(field));
    // TOML has no null. The text is read back as "not set", also where the default is something else.
    out += fmt::format("{} = {}  # {}\n", key, value.empty() ? "\"none\"" : value, origin);
  }
}

}  // namespace

void load_toml_text(const Fields& fields, std::string_view text, const std::string& where, Origins* origins) {
  Reader{fields, where, origins}.read(parse_toml(text, where), "");
}

void load_toml(const Fields& fields, const std::filesystem::path& file, Origins* origins) {
  load_toml_text(fields, read_file(file), file.string(), origins);
}

std::string to_toml(const Fields& fields, const Origins& origins) {
  std::string out;
  write_settings(out, fields, "", origins);
  for (const auto& group : fields.groups()) {
    out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", group.path);
    write_settings(out, fields, group.path, origins);
  }
  return out;
}

}  // namespace rlhf
