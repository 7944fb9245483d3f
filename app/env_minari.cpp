#include "app/env_minari.h"

#include <fmt/format.h>

#include <iostream>

#include "app/flags.h"
#include "app/world.h"
#include "rlhf/core/error.h"
#include "rlhf/data/trajectory_file.h"
#include "rlhf/environments/minari.h"
#include "rlhf/environments/table.h"

namespace rlhf::app {
namespace {

struct Settings {
  World world;
  std::filesystem::path in, out;
  std::string id, algorithm;

  void fields(Fields& f) {
    f.field("in", in, "what is read");
    f.field("out", out, "what is written");
    world.fields(f);
    f.field("id", id, "of the data set that is written; empty = ENVIRONMENT/recorded-v0");
    f.field("algorithm", algorithm, "who acted, for the data set's description");
  }
};

[[noreturn]] void refuse(const std::string& where, const std::string& what, const std::string& fix) {
  throw Error({.category = Category::bad_data, .where = where, .what = what, .fix = fix});
}

/// Spaces that hold the same numbers; what choices are called does not count.
bool fit(const environments::Space& one, const environments::Space& other) {
  if (one.index() != other.index()) return false;
  if (const auto* discrete = std::get_if<environments::Discrete>(&one))
    return discrete->choices.size() == std::get<environments::Discrete>(other).choices.size();
  const auto &a = std::get<environments::Box>(one), &b = std::get<environments::Box>(other);
  return a.dtype == b.dtype && a.shape == b.shape;
}

void tell(const std::vector<data::Trajectory>& episodes, const std::filesystem::path& where) {
  std::size_t steps = 0;
  for (const auto& episode : episodes) steps += episode.actions.size();
  std::cout << fmt::format("{} episodes, {} steps: {}\n", episodes.size(), steps, where.string());
}

}  // namespace

int import_minari(const Invocation& call) {
  Settings settings;
  if (!read_settings(call,
                     {.synopsis = "rlhf env import FOLDER --environment NAME --out FILE",
                      .description = "Episodes of a Minari data set (~/.minari/datasets/ID/data), as a file to learn from.",
                      .positional = {"in"}},
                     settings))
    return 0;
  const auto spec = settings.world.make()->spec();
  auto dataset = environments::read_minari(settings.in);
  if (!fit(dataset.observation, spec.observation) || !fit(dataset.action, spec.action))
    refuse(settings.in.string(),
           fmt::format("its spaces, {} and {}, are not those of {}, {} and {}", environments::space_to_minari(dataset.observation),
                       environments::space_to_minari(dataset.action), spec.name, environments::space_to_minari(spec.observation),
                       environments::space_to_minari(spec.action)),
           "Name the environment that the episodes were recorded in: --environment NAME --settings JSON.");
  for (auto& episode : dataset.episodes) {
    episode.environment = spec.name;
    episode.spec = environments::hash_of(spec);
  }
  data::write_trajectories(settings.out, dataset.episodes);
  tell(dataset.episodes, settings.out);
  return 0;
}

int export_minari(const Invocation& call) {
  Settings settings;
  if (!read_settings(call,
                     {.synopsis = "rlhf env export FILE --environment NAME --out FOLDER",
                      .description = "A file of episodes (`rlhf env record`) as a Minari data set.",
                      .positional = {"in"}},
                     settings))
    return 0;
  const auto spec = settings.world.make()->spec();
  const auto episodes = data::read_trajectories(settings.in);
  for (std::size_t i = 0; i < episodes.size(); ++i)
    if (episodes[i].spec != environments::hash_of(spec))
      refuse(fmt::format("{}: episode {}", settings.in.string(), i), fmt::format("was recorded in another {}", episodes[i].environment),
             "Give --environment and --settings as they were when it was recorded.");
  const auto id = settings.id.empty() ? spec.name + "/recorded-v0" : settings.id;
  environments::write_minari(settings.out, {id, spec.observation, spec.action, episodes}, settings.algorithm);
  tell(episodes, settings.out);
  return 0;
}

}  // namespace rlhf::app
