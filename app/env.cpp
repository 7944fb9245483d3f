#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>

#include "app/commands.h"
#include "app/flags.h"
#include "app/world.h"
#include "rlhf/control/jobs.h"
#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/table.h"

namespace rlhf::app {
namespace {

using environments::Box;
using environments::Discrete;
using environments::Space;
using environments::Spec;

std::string in_words(const Space& space) {
  if (const auto* discrete = std::get_if<Discrete>(&space)) return fmt::format("{} choices", discrete->choices.size());
  constexpr const char* names[] = {"uint8", "int64", "float32", "float64"};
  const auto& box = std::get<Box>(space);
  return fmt::format("{} [{}]", names[static_cast<int>(box.dtype)], fmt::join(box.shape, ", "));
}

int list(const Invocation& call) {
  for (const auto& [name, kind] : environments::builtin_environments()) {
    const auto described = kind();
    if (const auto missing = described->missing(); !missing.empty()) {
      if (call.json)
        std::cout << nlohmann::json{{"name", name}, {"missing", missing}}.dump() << "\n";
      else
        std::cout << fmt::format("{:<24} not installed: run `make mujoco`\n", name);
      continue;
    }
    const auto spec = described->make()->spec();
    if (call.json)
      std::cout << environments::to_json(spec).dump() << "\n";
    else
      std::cout << fmt::format("{:<24} sees {:<13} does {:<12} {}\n", name, in_words(spec.observation),
                               in_words(spec.action),
                               spec.max_steps > 0 ? fmt::format("{} steps", spec.max_steps) : "no limit");
  }
  return 0;
}

struct ShowSettings {
  World world;
  std::string png;
  std::int64_t steps = 0, width = 600, height = 400;
  std::uint64_t seed = 0;

  void fields(Fields& f) {
    world.fields(f);
    f.field("png", png, "file for a picture of it");
    f.field("steps", steps, "random steps before the picture is taken");
    f.field("width", width, "of the picture, pixels");
    f.field("height", height, "of the picture, pixels");
    f.field("seed", seed, "of start and steps");
  }
};

void draw(const ShowSettings& settings, environments::Environment& environment) {
  const auto random_agent = environments::random_choice(environment.spec());
  environments::roll_out(environment, random_agent, settings.seed, {.max_steps = settings.steps});
  write_file_atomic(settings.png,
                    environments::encode_png(environment.render(int(settings.width), int(settings.height))));
}

int show(const Invocation& call) {
  ShowSettings settings;
  if (!read_settings(call,
                     {.synopsis = "rlhf env show NAME [--settings JSON] [--png FILE]",
                      .description = "What an agent sees and does in an environment, and its settings.",
                      .positional = {"environment"}},
                     settings))
    return 0;
  const auto environment = settings.world.make();
  const auto& spec = environment->spec();
  if (!settings.png.empty()) draw(settings, *environment);
  std::cout << environments::to_json(spec).dump(2) << "\n";
  if (call.json) return 0;
  const auto kind = environments::find_environment(environments::builtin_environments(), spec.name);
  std::cout << "\n" << help_text(fields_of(*kind));
  return 0;
}

struct BenchSettings {
  control::EnvironmentSettings world;
  std::int64_t envs = 1024, steps = 2000;

  void fields(Fields& f) {
    world.fields(f);
    f.field("envs", envs, "environments stepped together");
    f.field("steps", steps, "of each");
  }
};

/// Random actions [envs] or [envs, numbers].
Tensor random_actions(const Spec& spec, std::int64_t envs, Random& random) {
  const auto draw = environments::random_choice(spec);
  std::vector<environments::Action> actions;
  for (std::int64_t i = 0; i < envs; ++i) actions.push_back(draw({}, random));
  return environments::stacked(actions);
}

int bench(const Invocation& call) {
  BenchSettings settings;
  if (!read_settings(call,
                     {.synopsis = "rlhf env bench NAME [--envs 1024] [--steps 2000]",
                      .description = "Steps a second with random actions, observations and new episodes included.",
                      .positional = {"environment"}},
                     settings))
    return 0;
  const auto world = settings.world.make(environments::builtin_environments(), settings.envs);
  Random random(1);
  std::vector<Tensor> actions;
  for (int i = 0; i < 16; ++i) actions.push_back(random_actions(world->spec(), settings.envs, random));
  world->reset(1);
  const double begin = steady_seconds();
  std::int64_t episodes = 0;
  for (std::int64_t t = 0; t < settings.steps; ++t)
    episodes += world->step(actions[static_cast<std::size_t>(t & 15)]).ended;
  const double rate = static_cast<double>(settings.envs * settings.steps) / (steady_seconds() - begin);
  if (call.json)
    std::cout << nlohmann::json{{"environment", world->spec().name},
                                {"envs", settings.envs},
                                {"steps_per_second", rate},
                                {"episodes", episodes}}
                     .dump()
              << "\n";
  else
    std::cout << fmt::format("{}: {:.3g} million steps a second of {} environments on {} thread{}\n",
                             world->spec().name, rate / 1e6, settings.envs, settings.world.threads,
                             settings.world.threads == 1 ? "" : "s");
  return 0;
}

constexpr Command subjects[] = {
    {"ls", "the environments, and what is seen and done in each", list},
    {"show", "one of them: its spaces, settings and picture", show},
    {"bench", "how fast it steps", bench},
};

}  // namespace

int env(const Invocation& call) {
  if (call.arguments.empty() || call.arguments.front() == "--help") {
    std::cout << "usage: rlhf env ls | show NAME [--png FILE] | bench NAME [--envs N]\n\n" << list_commands(subjects);
    return 0;
  }
  return find_command(subjects, call.arguments.front(), "subject of `rlhf env`").run(call.without_first());
}

}  // namespace rlhf::app
