#include "recipes/recipe.h"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <optional>

#include "app/commands.h"
#include "app/run_job.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/evaluation/report.h"

namespace rlhf::app {
namespace {

using recipes::Recipe;

std::string named(const Invocation& call, const char* verb) {
  if (!call.arguments.empty() && !call.arguments.front().starts_with("-")) return call.arguments.front();
  throw Error({.category = Category::usage,
               .where = fmt::format("recipe {}", verb),
               .what = "no recipe was named",
               .fix = "`rlhf recipe ls` lists them."});
}

std::string_view preset_of(const Recipe& recipe, const std::string& preset) {
  const auto found = recipe.presets.find(preset);
  if (found != recipe.presets.end()) return found->second;
  std::string known;
  for (const auto& [name, toml] : recipe.presets) known += (known.empty() ? "" : ", ") + name;
  throw Error({.category = Category::usage, .where = "--preset " + preset, .what = "the recipe has no such preset", .fix = "It has: " + known + "."});
}

int list(const Invocation& call) {
  for (const auto& [name, recipe] : recipes::builtin_recipes()) {
    std::string presets;
    for (const auto& [preset, toml] : recipe.presets) presets += (presets.empty() ? "" : ", ") + preset;
    if (call.json) {
      std::cout << nlohmann::json{{"name", name}, {"title", recipe.title}, {"claim", recipe.claim}, {"presets", presets}}.dump() << "\n";
    } else {
      std::cout << fmt::format("{}\n  {}\n  presets: {}\n", name, recipe.title, presets);
    }
  }
  return 0;
}

int show(const Invocation& call) {
  const auto table = recipes::builtin_recipes();
  const auto name = named(call, "show");
  const auto& recipe = find_recipe(table, name);
  std::cout << fmt::format("{}\n\n{}\n", recipe.title, recipe.claim);
  for (const auto& [preset, toml] : recipe.presets) std::cout << fmt::format("\n--- {}\n{}", preset, toml);
  std::cout << fmt::format("\n--- expected\n{}", recipe.expected);
  return 0;
}

int copy(const Invocation& call) {
  const auto table = recipes::builtin_recipes();
  const auto& recipe = find_recipe(table, named(call, "cp"));
  if (call.arguments.size() < 2) {
    throw Error({.category = Category::usage, .where = "recipe cp", .what = "no folder was named", .fix = "rlhf recipe cp NAME FOLDER"});
  }
  const std::filesystem::path folder = call.arguments[1];
  std::filesystem::create_directories(folder);
  for (const auto& [preset, toml] : recipe.presets) write_file_atomic(folder / (preset + ".toml"), toml);
  std::cerr << fmt::format("{}: presets written; run one with: rlhf recipe run {} -c {}/small.toml\n", folder.string(),
                           call.arguments[0], folder.string());
  return 0;
}

/// Prints what was promised beside what came out; false when a promise was not kept.
bool report_checks(const Recipe& recipe, const std::string& preset, const std::filesystem::path& folder) {
  std::ifstream file(folder / "results.json");
  const auto results = nlohmann::json::parse(file, nullptr, false);
  if (!results.is_object()) return true;  // the run was interrupted
  bool passed = true;
  auto record = nlohmann::json::array();
  for (const auto& check : recipes::check_results(recipe.expected, preset, results)) {
    record.push_back(to_json(check));
    const auto bound = (check.min ? fmt::format(" at least {:g}", *check.min) : "") + (check.max ? fmt::format(" at most {:g}", *check.max) : "");
    std::cerr << fmt::format("  {} {:<18} {:>9.3f}  promised{}\n", check.passed ? "ok  " : "MISS", check.name, check.value, bound);
    passed = passed && check.passed;
  }
  write_file_atomic(folder / "promises.json", record.dump(2) + "\n");
  return passed;
}

int run(const Invocation& call) {
  const auto table = recipes::builtin_recipes();
  const auto name = named(call, "run");
  const auto& recipe = find_recipe(table, name);
  auto flags = read_run_flags(call.without_first(), name);
  const bool own_files_only = flags.preset.empty() && !flags.files.empty();
  const std::string preset = flags.preset.empty() ? "small" : flags.preset;
  const auto job = recipe.make();
  const Preset settings = own_files_only ? Preset{} : Preset{preset_of(recipe, preset), "preset " + preset};
  if (!run_job(*job, "rlhf recipe run " + name + (own_files_only ? "" : " --preset " + preset), settings, flags,
               {{"name", name}, {"algorithm", "recipe"}, {"preset", preset}})) return 0;
  const bool kept = !flags.check || own_files_only || report_checks(recipe, preset, flags.output);
  std::cerr << "report: " << evaluation::write_report(flags.output).string() << "\n";
  if (kept) return 0;
  throw Error({.category = Category::check,
               .where = flags.output.string(),
               .what = "the run did not keep every promise of the preset (MISS above)",
               .fix = "Its report says what happened; --no-check accepts it as it is."});
}

constexpr Command subjects[] = {
    {"ls", "the recipes and their presets", list},
    {"show", "a recipe's claim, presets and promises", show},
    {"run", "run a paper, end to end", run},
    {"cp", "write a recipe's presets to a folder, to change them", copy},
};

}  // namespace

int recipe(const Invocation& call) {
  if (call.arguments.empty() || call.arguments.front() == "--help") {
    std::cout << "usage: rlhf recipe ls | show NAME | run NAME [--preset P] [key=value]... | cp NAME FOLDER\n\n" << list_commands(subjects);
    return 0;
  }
  return find_command(subjects, call.arguments.front(), "subject of `rlhf recipe`").run(call.without_first());
}

}  // namespace rlhf::app
