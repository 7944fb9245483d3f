#include "app/world.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "rlhf/core/error.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/table.h"
#include "rlhf/feedback/store.h"

namespace rlhf::app {

void World::fields(Fields& f) {
  f.field("environment", environment, "what is played; `rlhf env ls` lists them");
  f.field("settings", settings, R"(of the environment, as JSON: {"columns": 6})");
}

std::unique_ptr<environments::Environment> World::make() const {
  nlohmann::json given;
  if (!settings.empty()) {
    given = nlohmann::json::parse(settings, nullptr, false);
    if (!given.is_object())
      throw Error({.category = Category::usage,
                   .where = "settings",
                   .what = "is no JSON object: " + settings,
                   .fix = R"(Write it like --settings '{"columns": 6}'.)"});
  }
  return environments::make_environment(environments::builtin_environments(), environment, given);
}

environments::Policy scripted_agent(const environments::Spec& spec) {
  using environments::Array;
  if (spec.name == "cart_pole")
    return [](const Array& observation, Random&) { return environments::balance_cart_pole(observation); };
  if (spec.name == "grid")
    return [columns = spec.settings.at("columns").get<std::int64_t>()](const Array& observation, Random&) {
      return environments::walk_to_bowl(observation, columns);
    };
  const std::map<std::string, environments::Action (*)(const Array&)> known = {
      {"acrobot", environments::pump_acrobot},
      {"mountain_car", environments::rock_mountain_car},
      {"mountain_car_continuous", environments::rock_mountain_car_continuous},
      {"pendulum", environments::swing_up_pendulum},
      {"point_chase", environments::chase_ball}};
  if (const auto found = known.find(spec.name); found != known.end())
    return [act = found->second](const Array& observation, Random&) { return act(observation); };
  throw Error({.category = Category::usage,
               .where = "environment",
               .what = "no agent is built in that can play " + spec.name,
               .fix = "Let it act at random: --noise 1"});
}

std::vector<double> feature_scale(const environments::Spec& spec) {
  const auto* box = std::get_if<environments::Box>(&spec.observation);
  if (!box) return {1.0};
  std::int64_t numbers = 1;
  for (const auto side : box->shape) numbers *= side;
  std::vector<double> scale;
  for (std::size_t i = 0; i < static_cast<std::size_t>(numbers); ++i) {
    const auto bound = [&](const std::vector<double>& all) { return std::abs(all[all.size() == 1 ? 0 : i]); };
    const double most = std::max(bound(box->low), bound(box->high));
    // An unbounded number may be written as the greatest float.
    scale.push_back(std::isfinite(most) && most > 0 && most < 1e30 ? 1 / most : 0.5);
  }
  return scale;
}

std::filesystem::path beside(const std::string& store, const std::string& given, const char* name) {
  if (!given.empty()) return given;
  return feedback::is_postgres(store) ? std::filesystem::path(name) : std::filesystem::path(store).parent_path() / name;
}

}  // namespace rlhf::app
