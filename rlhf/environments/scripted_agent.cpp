#include "rlhf/environments/scripted_agent.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::environments {

Action balance_cart_pole(const Array& observation) {
  const auto& state = std::get<std::vector<float>>(observation);
  // The angle's terms keep the pole up, the cart's bring it back to the middle: leaning away comes before moving away.
  const double lean = 0.1 * state[0] + 0.3 * state[1] + 4.0 * state[2] + 1.0 * state[3];
  return std::int64_t{lean > 0 ? 1 : 0};
}

Action walk_to_bowl(const Array& observation, std::int64_t columns) {
  const auto& cell = std::get<std::vector<std::int64_t>>(observation);
  constexpr std::int64_t up = 0, right = 1, down = 2;
  if (cell[0] == columns - 1) return down;
  return cell[1] == 0 ? up : right;
}

Action swing_up_pendulum(const Array& observation) {
  const auto& seen = std::get<std::vector<float>>(observation);
  const double cosine = seen[0], sine = seen[1], velocity = seen[2];
  constexpr double gravity = 10.0, most = 2.0;
  const double angle = std::atan2(sine, cosine);
  double torque = 0;
  if (std::abs(angle) < 0.45 && std::abs(velocity) < 2.5) {
    torque = -9.0 * angle - 2.2 * velocity;  // near the top a spring and a brake hold it
  } else {
    // Energy of a rod, 0 at rest upright: what it lacks is pumped in along the movement.
    const double energy = velocity * velocity / 6 + gravity / 2 * (cosine - 1);
    torque = (energy < 0 ? 1 : -1) * (velocity >= 0 ? most : -most);
    if (std::abs(energy) < 0.3) torque = 0;
  }
  return std::vector<float>{static_cast<float>(std::clamp(torque, -most, most))};
}

Action rock_mountain_car(const Array& observation) {
  return std::int64_t{std::get<std::vector<float>>(observation)[1] < 0 ? 0 : 2};
}

Action rock_mountain_car_continuous(const Array& observation) {
  return std::vector<float>{std::get<std::vector<float>>(observation)[1] < 0 ? -1.0F : 1.0F};
}

Action pump_acrobot(const Array& observation) {
  const auto& seen = std::get<std::vector<float>>(observation);
  return std::int64_t{seen[4] > 0 ? 0 : 2};  // against the upper rod's movement: the lower one whips it on
}

Action chase_ball(const Array& observation) {
  const auto& seen = std::get<std::vector<float>>(observation);
  constexpr float near = 0.02F;  // half a step
  const float right = seen[2], up = seen[3];
  if (std::max(std::abs(right), std::abs(up)) < near) return std::int64_t{0};
  if (std::abs(right) > std::abs(up)) return std::int64_t{right > 0 ? 2 : 4};
  return std::int64_t{up > 0 ? 1 : 3};
}

Policy scripted_agent(const Spec& spec) {
  if (spec.name == "cart_pole") return [](const Array& observation, Random&) { return balance_cart_pole(observation); };
  if (spec.name == "grid")
    return [columns = spec.settings.at("columns").get<std::int64_t>()](const Array& observation, Random&) {
      return walk_to_bowl(observation, columns);
    };
  const std::map<std::string, Action (*)(const Array&)> known = {
      {"acrobot", pump_acrobot},
      {"mountain_car", rock_mountain_car},
      {"mountain_car_continuous", rock_mountain_car_continuous},
      {"pendulum", swing_up_pendulum},
      {"point_chase", chase_ball}};
  if (const auto found = known.find(spec.name); found != known.end())
    return [act = found->second](const Array& observation, Random&) { return act(observation); };
  throw Error({.category = Category::usage,
               .where = "environment",
               .what = "no agent is built in that can play " + spec.name,
               .fix = "Let it act at random: --noise 1"});
}

Policy random_choice(const Spec& spec) {
  if (const auto* space = std::get_if<Discrete>(&spec.action)) {
    const auto choices = static_cast<std::int64_t>(space->choices.size());
    return [choices](const Array&, Random& random) -> Action { return random.below(choices); };
  }
  const auto& box = std::get<Box>(spec.action);
  std::size_t numbers = 1;
  for (const auto side : box.shape) numbers *= static_cast<std::size_t>(side);
  std::vector<double> low, high;
  for (std::size_t i = 0; i < numbers; ++i) {
    low.push_back(box.low[box.low.size() == 1 ? 0 : i]);
    high.push_back(box.high[box.high.size() == 1 ? 0 : i]);
    if (std::isfinite(low.back()) && std::isfinite(high.back())) continue;
    throw Error({.category = Category::usage,
                 .where = "random_choice",
                 .what = "the actions of " + spec.name + " have no bounds",
                 .fix = "Write a policy that draws them as suits the environment."});
  }
  return [low, high](const Array&, Random& random) -> Action {
    std::vector<float> drawn;
    for (std::size_t i = 0; i < low.size(); ++i)
      drawn.push_back(static_cast<float>(low[i] + (high[i] - low[i]) * random.uniform()));
    return drawn;
  };
}

Policy with_noise(Policy policy, const Spec& spec, double share) {
  return [policy = std::move(policy), any = random_choice(spec), share](const Array& observation, Random& random) {
    return random.uniform() < share ? any(observation, random) : policy(observation, random);
  };
}

}  // namespace rlhf::environments
