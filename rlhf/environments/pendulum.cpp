#include "rlhf/environments/pendulum.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "rlhf/environments/canvas.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

constexpr double mass = 1.0, length = 1.0, tau = 0.05, largest_torque = 2.0, largest_velocity = 8.0;

Spec spec_of(const PendulumConfig& config) {
  return {.name = "pendulum",
          .observation = Box{.shape = {3}, .low = {-1, -1, -largest_velocity}, .high = {1, 1, largest_velocity}},
          .action = Box{.shape = {1}, .low = {-largest_torque}, .high = {largest_torque}},
          .max_steps = config.max_steps,
          .step_seconds = tau,
          .can = {.state = true, .render = true},
          .settings = rlhf::to_json(config)};
}

/// In -pi .. pi, by the rule of Python's %, whose result has the divisor's sign.
double wrapped(double angle) {
  const double turn = 2 * std::numbers::pi;
  double rest = std::fmod(angle + std::numbers::pi, turn);
  if (rest < 0) rest += turn;
  return rest - std::numbers::pi;
}

}  // namespace

void PendulumConfig::validate() const { require_limit(max_steps); }

PendulumWorld::PendulumWorld(const PendulumConfig& config) : config_(config), spec_(spec_of(config)) {
  config.validate();
}

PendulumState PendulumWorld::start(Random& random) const {
  const double angle = std::numbers::pi * (2 * random.uniform() - 1), velocity = 2 * random.uniform() - 1;
  return {angle, velocity};
}

PendulumState PendulumWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"angle", "angular velocity"});
  return {numbers[0], numbers[1]};
}

Outcome PendulumWorld::advance(State& state, const float* action) const {
  const double torque = std::clamp(static_cast<double>(action[0]), -largest_torque, largest_torque);
  const double angle = wrapped(state.angle);
  const double cost = angle * angle + 0.1 * (state.velocity * state.velocity) + 0.001 * (torque * torque);
  const double pull =
      3 * config_.gravity / (2 * length) * std::sin(state.angle) + 3.0 / (mass * (length * length)) * torque;
  state.velocity = std::clamp(state.velocity + pull * tau, -largest_velocity, largest_velocity);
  state.angle += state.velocity * tau;
  state.torque = torque;
  return {.reward = config_.task == PendulumTask::spin ? -state.velocity : -cost};
}

void PendulumWorld::observe(const State& state, float* out) const {
  out[0] = static_cast<float>(std::cos(state.angle));
  out[1] = static_cast<float>(std::sin(state.angle));
  out[2] = static_cast<float>(state.velocity);
}

bool PendulumWorld::possible(const State& state) const {
  return std::isfinite(state.angle) && std::abs(state.velocity) <= largest_velocity &&
         std::abs(state.torque) <= largest_torque;
}

Image PendulumWorld::draw(const State& state, int width, int height) const {
  Canvas canvas(width, height, {.left = -1.5, .bottom = -1.25, .right = 1.5, .top = 1.25}, rgb(0xF6F7F9));
  const Point tip{-std::sin(state.angle) * length, std::cos(state.angle) * length};
  canvas.ring({0, 0}, 1.12, 0.012, rgb(0xDDE3EC));
  canvas.line({0, 0}, tip, 0.2, rgb(0xC4574E));
  canvas.line({tip.x * 0.05, tip.y * 0.05}, {tip.x * 0.97, tip.y * 0.97}, 0.05, rgb(0xE98A80));
  canvas.disc({0, 0}, 0.07, rgb(0x2B384D));
  // The motor's torque: dots along the ring, on the side to which it pushes.
  const int dots = static_cast<int>(std::lround(std::abs(state.torque) / largest_torque * 8));
  for (int i = 1; i <= dots; ++i) {
    const double at = (state.torque > 0 ? 1 : -1) * 0.12 * i;
    canvas.disc({-std::sin(at) * 1.12, std::cos(at) * 1.12}, 0.035, rgb(0x3D6FB4));
  }
  return canvas.take();
}

template class Single<PendulumWorld>;
template class Batch<PendulumWorld>;

}  // namespace rlhf::environments
