#include "rlhf/environments/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/core/spelling.h"
#include "rlhf/environments/acrobot.h"
#include "rlhf/environments/atari.h"
#include "rlhf/environments/cart_pole.h"
#include "rlhf/environments/cart_pole_fixed.h"
#include "rlhf/environments/cliff_walking.h"
#include "rlhf/environments/frozen_lake.h"
#include "rlhf/environments/grid.h"
#include "rlhf/environments/gymnasium.h"
#include "rlhf/environments/hazard_map.h"
#include "rlhf/environments/key_treasure.h"
#include "rlhf/environments/ledger.h"
#include "rlhf/environments/mini_bowl.h"
#include "rlhf/environments/mountain_car.h"
#include "rlhf/environments/mujoco.h"
#include "rlhf/environments/pendulum.h"
#include "rlhf/environments/point_chase.h"
#include "rlhf/environments/sentence.h"
#include "rlhf/environments/tampering_grid.h"
#include "rlhf/environments/taxi.h"
#include "rlhf/environments/two_landmarks.h"
#include "rlhf/environments/waiter.h"
#include "rlhf/environments/wrappers.h"

namespace rlhf::environments {
namespace {

/// Whose settings are one config.
template <class Config>
struct WithConfig : EnvironmentKind {
  Config config;

  void fields(Fields& f) override {
    config.fields(f);
    f.add_check([this] { config.validate(); });
  }
};

/// For an environment whose constructor takes its config.
template <class Made, class Config>
struct Kind : WithConfig<Config> {
  std::unique_ptr<Environment> make() const override { return std::make_unique<Made>(this->config); }
};

/// For the rules of a world, which step in one loop.
template <class W>
struct WorldKind : Kind<Single<W>, typename W::Config> {
  std::unique_ptr<VectorEnvironment> make_vector(const VectorOptions& options) const override {
    return std::make_unique<Batch<W>>(this->config, options);
  }
};

/// For what is said: `task` makes it from its config.
template <class Config, TextTask (*task)(const Config&)>
struct TextKind final : WithConfig<Config> {
  std::unique_ptr<Environment> make() const override { return std::make_unique<TextEnvironment>(task(this->config)); }
};

struct AtariKind final : WithConfig<AtariConfig> {
  std::string needs() const override {
    const std::string what = "the Arcade Learning Environment, ";
    try {
      atari_program(config);  // looks for its files, starts nothing
    } catch (const Error&) {
      return what + "which is not installed: make ale";
    }
    return what + "which is installed";
  }
  std::unique_ptr<Environment> make() const override { return make_worker(atari_program(config), config.worker); }
  std::unique_ptr<VectorEnvironment> make_vector(const VectorOptions& options) const override {
    return make_worker_vector(atari_program(config), config.worker, options);
  }
};

struct GymnasiumKind final : WithConfig<GymnasiumConfig> {
  std::string needs() const override {
    return gymnasium_installed(config.python) ? "Python with gymnasium, which is installed"
                                              : "Python with gymnasium, which " + config.python +
                                                    " does not have: pip install gymnasium, or name another `python`";
  }
  std::unique_ptr<Environment> make() const override { return make_worker(gymnasium_program(config), config.worker); }
  std::unique_ptr<VectorEnvironment> make_vector(const VectorOptions& options) const override {
    return make_worker_vector(gymnasium_program(config), config.worker, options);
  }
};

/// A worker of somebody else's, named by its command line.
struct AnyWorkerKind final : EnvironmentKind {
  std::vector<std::string> command;
  std::string request;
  WorkerCare care;

  void fields(Fields& f) override {
    f.field("command", command, "program and arguments of the worker");
    f.field("request", request, "what it is asked to make: a JSON object that it knows");
    f.group("worker", care, "care for the processes");
    f.add_check([this] { program(); });
  }
  WorkerProgram program() const {
    if (command.empty())
      throw Error({.category = Category::usage,
                   .where = "command",
                   .what = "no worker was named",
                   .fix = R"(Give program and arguments: {"command": ["./my_robot"]}.)"});
    const auto asked = request.empty() ? nlohmann::json::object() : nlohmann::json::parse(request, nullptr, false);
    if (!asked.is_object())
      throw Error({.category = Category::usage,
                   .where = "request",
                   .what = "is no JSON object: " + request,
                   .fix = R"(Write one, as {"name": "chess"}.)"});
    return {.name = "worker",
            .command = command,
            .request = asked,
            .settings = {{"command", command}, {"request", request}}};
  }
  std::string needs() const override { return "a program that speaks the workers' protocol"; }
  std::unique_ptr<Environment> make() const override { return make_worker(program(), care); }
  std::unique_ptr<VectorEnvironment> make_vector(const VectorOptions& options) const override {
    return make_worker_vector(program(), care, options);
  }
};

template <class K>
std::unique_ptr<EnvironmentKind> of_kind() {
  return std::make_unique<K>();
}

template <class W>
std::unique_ptr<EnvironmentKind> world() {
  return of_kind<WorldKind<W>>();
}

struct MujocoKind final : WithConfig<MujocoConfig> {
  explicit MujocoKind(std::string named) : robot(std::move(named)) { config = mujoco_defaults(robot); }

  std::string robot;

  std::unique_ptr<Environment> make() const override { return std::make_unique<Mujoco>(robot, config); }
  std::string needs() const override {
    return mujoco_missing().empty() ? "" : "MuJoCo, which is not installed: make mujoco";
  }
};

}  // namespace

EnvironmentTable builtin_environments() {
  EnvironmentTable table = {{"acrobot", world<AcrobotWorld>},
                            {"atari", of_kind<AtariKind>},
                            {"gymnasium", of_kind<GymnasiumKind>},
                            {"worker", of_kind<AnyWorkerKind>},
                            {"cart_pole", world<CartPoleWorld>},
                            {"cart_pole_fixed", world<CartPoleFixedWorld>},
                            {"cliff_walking", world<CliffWalkingWorld>},
                            {"frozen_lake", world<FrozenLakeWorld>},
                            {"key_treasure", world<KeyTreasureWorld>},
                            {"hazard_map", world<HazardMapWorld>},
                            {"ledger", world<LedgerWorld>},
                            {"mini_bowl", world<MiniBowlWorld>},
                            {"mountain_car", world<MountainCarWorld>},
                            {"mountain_car_continuous", world<MountainCarContinuousWorld>},
                            {"pendulum", world<PendulumWorld>},
                            {"point_chase", world<PointChaseWorld>},
                            {"tampering_grid", world<TamperingGridWorld>},
                            {"taxi", world<TaxiWorld>},
                            {"two_landmarks", world<TwoLandmarksWorld>},
                            {"grid", of_kind<Kind<Grid, GridConfig>>},
                            {"sentence", of_kind<TextKind<SentenceConfig, sentence>>},
                            {"waiter", of_kind<TextKind<WaiterConfig, waiter>>}};
  for (const auto& robot : mujoco_robot_names()) table[robot] = [robot] { return std::make_unique<MujocoKind>(robot); };
  return table;
}

std::unique_ptr<EnvironmentKind> find_environment(const EnvironmentTable& table, std::string_view name) {
  if (const auto found = table.find(name); found != table.end()) return found->second();
  std::vector<std::string> names;
  for (const auto& [known, make] : table) names.push_back(known);
  const auto close = nearest(name, names);
  throw Error({.category = Category::usage,
               .where = "environments",
               .what = fmt::format("there is no environment '{}'; known: {}", name, fmt::join(names, ", ")),
               .fix = close ? fmt::format("Did you mean '{}'?", *close) : ""});
}

std::unique_ptr<VectorEnvironment> EnvironmentKind::make_vector(const VectorOptions& options) const {
  return each_of([this] { return make(); }, options);
}

namespace {

struct Configured {
  std::unique_ptr<EnvironmentKind> kind;
  std::vector<std::string> wrappers;

  std::unique_ptr<Environment> make() const { return wrapped(kind->make(), wrappers); }
};

std::vector<std::string> taken_out(nlohmann::json& settings) {
  if (!settings.is_object() || !settings.contains("wrappers")) return {};
  std::vector<std::string> wrappers;
  try {
    wrappers = settings["wrappers"].get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw Error({.category = Category::usage,
                 .where = "wrappers",
                 .what = "it is " + settings["wrappers"].dump(),
                 .fix = R"(Give a list of texts: ["frame_stack 4", "sticky_actions 0.25"].)"});
  }
  settings.erase("wrappers");
  return wrappers;
}

Configured configured(const EnvironmentTable& table, std::string_view name, nlohmann::json settings) {
  Configured made{.kind = find_environment(table, name), .wrappers = taken_out(settings)};
  const auto fields = fields_of(*made.kind);
  if (!settings.is_null()) from_json(fields, settings, fmt::format("settings of {}", name));
  validate(fields);
  return made;
}

}  // namespace

std::unique_ptr<Environment> make_environment(const EnvironmentTable& table, std::string_view name,
                                              const nlohmann::json& settings) {
  return configured(table, name, settings).make();
}

std::unique_ptr<VectorEnvironment> make_vector(const EnvironmentTable& table, std::string_view name,
                                               const nlohmann::json& settings, const VectorOptions& options) {
  const auto made = configured(table, name, settings);
  if (made.wrappers.empty()) return made.kind->make_vector(options);
  return each_of([&] { return made.make(); }, options);
}

}  // namespace rlhf::environments
