#include "rlhf/core/fields.h"

#include <algorithm>

#include "rlhf/core/error.h"
#include "rlhf/core/field_value.h"

namespace rlhf {
namespace {

void require_new(const Fields& fields, const std::string& path) {
  if (fields.find(path) || fields.has_group(path)) {
    throw Error({.category = Category::failure, .where = path, .what = "this setting is listed twice", .fix = ""});
  }
}

}  // namespace

std::string normal_path(std::string_view path) {
  std::string normal(path);
  std::replace(normal.begin(), normal.end(), '-', '_');
  return normal;
}

std::string group_of(const std::string& path) {
  const auto dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

const Field* Fields::find(std::string_view path) const {
  const auto wanted = normal_path(path);
  const auto found = std::find_if(fields_.begin(), fields_.end(), [&](const Field& f) { return f.path == wanted; });
  return found == fields_.end() ? nullptr : &*found;
}

bool Fields::has_group(std::string_view path) const {
  const auto wanted = normal_path(path);
  return std::any_of(groups_.begin(), groups_.end(), [&](const FieldGroup& g) { return g.path == wanted; });
}

void Fields::add_check(std::function<void()> check) { checks_.emplace_back(prefix_, std::move(check)); }

void Fields::add(std::string_view name, FieldTarget target, std::string_view help) {
  const auto path = normal_path(prefix_ + std::string(name));
  require_new(*this, path);
  fields_.push_back({.path = path, .help = std::string(help), .target = std::move(target)});
}

std::string Fields::enter(std::string_view name, std::string_view help) {
  const auto path = normal_path(prefix_ + std::string(name));
  require_new(*this, path);
  groups_.push_back({.path = path, .help = std::string(help)});
  return std::exchange(prefix_, path + ".");
}

void Fields::leave(std::string outer) { prefix_ = std::move(outer); }

void validate(const Fields& fields, const Origins& origins) {
  for (const auto& [prefix, check] : fields.checks()) {
    try {
      check();
    } catch (const Error& error) {
      const auto* field = fields.find(prefix + error.where());
      if (!field) throw;
      const auto origin = origins.find(field->path);
      const auto source = origin == origins.end() ? std::string("default") : origin->second;
      throw Error({.category = error.category(),
                   .where = field->path + " (" + source + ")",
                   .what = error.problem(),
                   .fix = error.fix()});
    }
  }
}

Origins configure(const Fields& fields, const ConfigSources& sources) {
  Origins origins;
  for (const auto& file : sources.files) load_toml(fields, file, &origins);
  if (sources.environment) apply_environment(fields, &origins);
  apply_flags(fields, sources.overrides, &origins);
  validate(fields, origins);
  return origins;
}

}  // namespace rlhf
