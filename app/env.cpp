#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <optional>

#include "app/commands.h"
#include "app/env_minari.h"
#include "app/env_play.h"
#include "app/flags.h"
#include "app/world.h"
#include "rlhf/control/demonstrations.h"
#include "rlhf/control/jobs.h"
#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/data/trajectory_file.h"
#include "rlhf/environments/film_file.h"
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
    if (const auto needs = described->needs(); !needs.empty()) {
      if (call.json)
        std::cout << nlohmann::json{{"name", name}, {"needs", needs}}.dump() << "\n";
      else
        std::cout << fmt::format("{:<24} needs {}\n", name, needs);
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

struct RecordSettings {
  World world;
  std::filesystem::path out, agent, film;
  std::int64_t episodes = 20, film_steps = 1000, width = 400, height = 267;
  double noise = 0.0;
  std::uint64_t seed = 0;

  void fields(Fields& f) {
    world.fields(f);
    f.field("out", out, "file for the episodes, one a line of JSON");
    f.field("episodes", episodes, "how many are played");
    f.field("agent", agent, "folder of a trained agent's checkpoint; none: the agent built in for the task");
    f.field("noise", noise, "share of its actions that are drawn at random instead; 1 = all");
    f.field("film", film, "file for a film of the first episode: .png, .webp or .mp4; no ending: a folder of frames");
    f.field("film_steps", film_steps, "that it shows at most");
    f.field("width", width, "of the film, pixels");
    f.field("height", height, "of the film, pixels");
    f.field("seed", seed, "of starts and chance");
  }

  void validate() const {
    const auto require = [](bool holds, const char* where, const char* what) {
      if (!holds) throw Error({.category = Category::usage, .where = where, .what = what, .fix = ""});
    };
    require(!out.empty() || !film.empty(), "out",
            "the name of a file was expected: --out shown.jsonl, --film shown.png, or both");
    require(film_steps >= 1, "film_steps", "at least one was expected");
    require(width >= 1, "width", "at least one pixel was expected");
    require(height >= 1, "height", "at least one pixel was expected");
    require(episodes >= 1, "episodes", "at least one was expected");
    require(noise >= 0 && noise <= 1, "noise", "a share from 0 to 1 was expected");
  }
};

/// Looks on while an episode is played, and keeps every so many steps of it as pictures.
class Camera {
 public:
  Camera(const RecordSettings& settings, const environments::Spec& spec)
      : settings_(settings), pace_(environments::film_pace(spec)) {
    if (!spec.can.render)
      throw Error({.category = Category::usage,
                   .where = "film",
                   .what = "the environment " + spec.name + " draws no pictures",
                   .fix = "Leave --film out."});
    environments::require_encoder(environments::film_format_of(settings.film));
  }

  void look(const environments::Environment& environment) {
    const auto step = steps_++;
    if (step <= settings_.film_steps && step % pace_.every == 0)
      frames_.push_back(environment.render(int(settings_.width), int(settings_.height)));
  }

  void write() const {
    const auto format = environments::film_format_of(settings_.film);
    environments::write_film(settings_.film, format, frames_, pace_.frames_per_second);
  }

 private:
  const RecordSettings& settings_;
  environments::FilmPace pace_;
  std::vector<environments::Image> frames_;
  std::int64_t steps_ = 0;
};

int record(const Invocation& call) {
  RecordSettings settings;
  if (!read_settings(call,
                     {.synopsis = "rlhf env record NAME [--out FILE] [--film FILE] [--agent FOLDER] [--episodes 20] [--noise 0]",
                      .description = "Episodes to learn from: demonstrations, and data for offline learning; and a "
                                     "film of the first one.",
                      .positional = {"environment"}},
                     settings))
    return 0;
  const auto environment = settings.world.make();
  const auto& spec = environment->spec();
  std::optional<models::ActorCritic> trained;
  if (!settings.agent.empty()) trained.emplace(models::ActorCritic::open(spec, settings.agent));
  const auto policy = settings.noise == 1 ? environments::random_choice(spec)
                                          : environments::with_noise(trained ? control::policy_of(*trained, spec)
                                                                             : environments::scripted_agent(spec),
                                                                     spec, settings.noise);
  std::optional<Camera> camera;
  if (!settings.film.empty()) camera.emplace(settings, spec);
  std::vector<data::Trajectory> episodes;
  double sum = 0;
  std::size_t steps = 0;
  for (std::int64_t i = 0; i < settings.episodes; ++i) {
    environments::RolloutOptions options{.keep_states = false};
    if (camera && i == 0) options.watch = [&](const environments::Environment& played) { camera->look(played); };
    const auto seed = derive(settings.seed, {static_cast<std::uint64_t>(i)});
    episodes.push_back(environments::roll_out(*environment, policy, seed, options));
    for (const double reward : episodes.back().rewards) sum += reward;
    steps += episodes.back().actions.size();
  }
  if (!settings.out.empty()) data::write_trajectories(settings.out, episodes);
  if (camera) camera->write();
  const double mean_return = sum / static_cast<double>(episodes.size());
  if (call.json)
    std::cout << nlohmann::json{{"episodes", episodes.size()}, {"steps", steps}, {"mean_return", mean_return}}.dump() << "\n";
  else
    std::cout << fmt::format("{} episodes, {} steps, mean return {:.2f}: {}\n", episodes.size(), steps, mean_return,
                             (settings.out.empty() ? settings.film : settings.out).string());
  return 0;
}

constexpr Command subjects[] = {
    {"ls", "the environments, and what is seen and done in each", list},
    {"show", "one of them: its spaces, settings and picture", show},
    {"bench", "how fast it steps", bench},
    {"record", "episodes of an agent, as a file to learn from", record},
    {"play", "a person plays it in the browser, and what was shown is kept", play},
    {"import", "a Minari data set as such a file", import_minari},
    {"export", "such a file as a Minari data set", export_minari},
};

}  // namespace

int env(const Invocation& call) {
  if (call.arguments.empty() || call.arguments.front() == "--help") {
    std::cout << "usage: rlhf env ls | show NAME [--png FILE] | bench NAME [--envs N] | play NAME [--out FILE]\n"
                 "       rlhf env record NAME --out FILE [--film FILE] | import FOLDER | export FILE   (Minari)\n\n"
              << list_commands(subjects);
    return 0;
  }
  return find_command(subjects, call.arguments.front(), "subject of `rlhf env`").run(call.without_first());
}

}  // namespace rlhf::app
