#include "app/run_job.h"

#include <fmt/format.h>

#include <iostream>
#include <optional>

#include "app/signals.h"
#include "rlhf/core/error.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/run.h"

namespace rlhf::app {
namespace {

std::string with_dashes(std::string flag) {
  for (std::size_t i = 2; i < flag.size() && flag[i] != '='; ++i) {
    if (flag[i] == '_') flag[i] = '-';
  }
  return flag;
}

/// The settings a run was begun with win over a preset when it is resumed; files, environment and flags win over both.
Origins resolve(const Fields& fields, const Preset& preset, const RunFlags& flags) {
  Origins origins;
  const auto begun = flags.output / "config.toml";
  if (flags.resume && std::filesystem::exists(begun)) {
    load_toml(fields, begun, &origins);
  } else if (!preset.toml.empty()) {
    load_toml_text(fields, preset.toml, preset.name, &origins);
  }
  for (auto& [path, origin] : configure(fields, {.files = flags.files, .overrides = flags.overrides})) origins[path] = origin;
  return origins;
}

}  // namespace

RunFlags read_run_flags(const Invocation& call, const std::string& name) {
  RunFlags flags{.output = std::filesystem::path("runs") / name};
  const auto& arguments = call.arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto flag = with_dashes(arguments[i]);
    const auto value_of = [&](std::string_view wanted) -> std::optional<std::string> {
      if (flag.starts_with(std::string(wanted) + "=")) return arguments[i].substr(wanted.size() + 1);
      if (flag != wanted) return std::nullopt;
      if (i + 1 == arguments.size()) {
        throw Error({.category = Category::usage, .where = std::string(wanted), .what = "the flag needs a value", .fix = {}});
      }
      return arguments[++i];
    };
    if (flag == "--resume") flags.resume = true;
    else if (flag == "--overwrite") flags.overwrite = true;
    else if (flag == "--dry-run") flags.dry_run = true;
    else if (flag == "--no-check") flags.check = false;
    else if (flag == "--help" || flag == "-h") flags.help = true;
    else if (const auto preset = value_of("--preset")) flags.preset = *preset;
    else if (const auto output = value_of("--output")) flags.output = *output;
    else if (const auto file = value_of("-c")) flags.files.emplace_back(*file);
    else flags.overrides.push_back(arguments[i]);
  }
  return flags;
}

bool run_job(algorithms::Job& job, const std::string& title, const Preset& preset, const RunFlags& flags, nlohmann::json about) {
  Fields fields;
  job.fields(fields);
  if (flags.help) {
    std::cout << fmt::format("usage: {} [-c FILE.toml]... [key=value]... [--output DIR] [--resume | --overwrite] [--dry-run]\n\n{}",
                             title, help_text(fields));
    return false;
  }
  const auto origins = resolve(fields, preset, flags);
  const auto resolved = to_toml(fields, origins);
  if (flags.dry_run) {
    std::cout << resolved;
    return false;
  }
  Run run({.folder = flags.output, .resume = flags.resume, .overwrite = flags.overwrite, .stop_requested = stop_requested},
          resolved, std::move(about));
  job.run(run);
  if (stop_requested()) {
    std::cerr << fmt::format("stopped; go on with: {} --output {} --resume\n", title, flags.output.string());
    throw Interrupted{};
  }
  return true;
}

}  // namespace rlhf::app
