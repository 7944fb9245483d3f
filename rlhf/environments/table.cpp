#include "rlhf/environments/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/core/spelling.h"
#include "rlhf/environments/acrobot.h"
#include "rlhf/environments/cart_pole.h"
#include "rlhf/environments/cart_pole_fixed.h"
#include "rlhf/environments/grid.h"
#include "rlhf/environments/key_treasure.h"
#include "rlhf/environments/mountain_car.h"
#include "rlhf/environments/mujoco.h"
#include "rlhf/environments/pendulum.h"
#include "rlhf/environments/point_chase.h"
#include "rlhf/environments/tampering_grid.h"

namespace rlhf::environments {
namespace {

/// For an environment whose constructor takes its config.
template <class Made, class Config>
struct Kind : EnvironmentKind {
  Config config;

  void fields(Fields& f) override {
    config.fields(f);
    f.add_check([this] { config.validate(); });
  }
  std::unique_ptr<Environment> make() const override { return std::make_unique<Made>(config); }
};

/// For the rules of a world, which step in one loop.
template <class W>
struct WorldKind : Kind<Single<W>, typename W::Config> {
  std::unique_ptr<VectorEnvironment> make_vector(const VectorOptions& options) const override {
    return std::make_unique<Batch<W>>(this->config, options);
  }
};

template <class W>
std::unique_ptr<EnvironmentKind> world() {
  return std::make_unique<WorldKind<W>>();
}

template <class Made, class Config>
std::unique_ptr<EnvironmentKind> make_kind() {
  return std::make_unique<Kind<Made, Config>>();
}

struct MujocoKind final : EnvironmentKind {
  explicit MujocoKind(std::string named) : robot(std::move(named)), config(mujoco_defaults(robot)) {}

  std::string robot;
  MujocoConfig config;

  void fields(Fields& f) override {
    config.fields(f);
    f.add_check([this] { config.validate(); });
  }
  std::unique_ptr<Environment> make() const override { return std::make_unique<Mujoco>(robot, config); }
  std::string missing() const override { return mujoco_missing(); }
};

}  // namespace

EnvironmentTable builtin_environments() {
  EnvironmentTable table = {{"acrobot", world<AcrobotWorld>},
          {"cart_pole", world<CartPoleWorld>},
          {"cart_pole_fixed", world<CartPoleFixedWorld>},
          {"key_treasure", world<KeyTreasureWorld>},
          {"mountain_car", world<MountainCarWorld>},
          {"mountain_car_continuous", world<MountainCarContinuousWorld>},
          {"pendulum", world<PendulumWorld>},
          {"point_chase", world<PointChaseWorld>},
          {"tampering_grid", world<TamperingGridWorld>},
          {"grid", make_kind<Grid, GridConfig>}};
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

std::unique_ptr<EnvironmentKind> configured(const EnvironmentTable& table, std::string_view name,
                                            const nlohmann::json& settings) {
  auto kind = find_environment(table, name);
  const auto fields = fields_of(*kind);
  if (!settings.is_null()) from_json(fields, settings, fmt::format("settings of {}", name));
  validate(fields);
  return kind;
}

}  // namespace

std::unique_ptr<Environment> make_environment(const EnvironmentTable& table, std::string_view name,
                                              const nlohmann::json& settings) {
  return configured(table, name, settings)->make();
}

std::unique_ptr<VectorEnvironment> make_vector(const EnvironmentTable& table, std::string_view name,
                                               const nlohmann::json& settings, const VectorOptions& options) {
  return configured(table, name, settings)->make_vector(options);
}

}  // namespace rlhf::environments
