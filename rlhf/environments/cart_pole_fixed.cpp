#include "rlhf/environments/cart_pole_fixed.h"

#include <cmath>
#include <limits>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

Spec spec_of(const CartPoleFixedConfig& config) {
  constexpr double free = std::numeric_limits<double>::infinity();
  return {.name = "cart_pole_fixed",
          .observation = Box{.shape = {5}, .low = {-free, -free, -1, -1, -free}, .high = {free, free, 1, 1, free}},
          .action = Discrete{{"push left", "push right"}},
          .max_steps = config.max_steps,
          .step_seconds = 0.02,
          .can = {.state = true, .render = true},
          .settings = rlhf::to_json(config)};
}

}  // namespace

void CartPoleFixedConfig::validate() const {
  if (max_steps > 0) return;
  throw Error({.category = Category::usage,
               .where = "max_steps",
               .what = "nothing else ends an episode",
               .fix = "Give the length of an episode in steps, 1 or more."});
}

CartPoleFixedWorld::CartPoleFixedWorld(const Config& config)
    : same_({.max_steps = config.max_steps}), spec_(spec_of(config)) {
  config.validate();
}

Outcome CartPoleFixedWorld::advance(State& state, std::int64_t action) const {
  state = environments::advance(state, action == 1);
  return {.reward = failed(state) ? 0.0 : 1.0};
}

void CartPoleFixedWorld::observe(const State& state, float* out) const {
  out[0] = static_cast<float>(state.position);
  out[1] = static_cast<float>(state.velocity);
  out[2] = static_cast<float>(std::cos(state.angle));
  out[3] = static_cast<float>(std::sin(state.angle));
  out[4] = static_cast<float>(state.angular_velocity);
}

template class Single<CartPoleFixedWorld>;
template class Batch<CartPoleFixedWorld>;

}  // namespace rlhf::environments
