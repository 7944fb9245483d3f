#include "rlhf/environments/acrobot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "rlhf/environments/canvas.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

constexpr double pi = std::numbers::pi, tau = 0.2, gravity = 9.8;
constexpr double mass1 = 1.0, mass2 = 1.0, length1 = 1.0, centre1 = 0.5, centre2 = 0.5, moment = 1.0;
constexpr double largest_velocity1 = 4 * pi, largest_velocity2 = 9 * pi;

Spec spec_of(const AcrobotConfig& config) {
  const std::vector<double> high = {1, 1, 1, 1, largest_velocity1, largest_velocity2};
  std::vector<double> low;
  for (const double bound : high) low.push_back(-bound);
  return {.name = "acrobot",
          .observation = Box{.shape = {6}, .low = low, .high = high},
          .action = Discrete{{"torque -1", "no torque", "torque +1"}},
          .max_steps = config.max_steps,
          .step_seconds = tau,
          .can = {.state = true, .render = true},
          .settings = rlhf::to_json(config)};
}

using Four = std::array<double, 4>;  // both angles, both velocities

/// How fast each of the four changes under a torque.
Four change(const Four& s, double torque) {
  const auto& [theta1, theta2, velocity1, velocity2] = s;
  const double d1 = mass1 * (centre1 * centre1) +
                    mass2 * (length1 * length1 + centre2 * centre2 + 2 * length1 * centre2 * std::cos(theta2)) +
                    moment + moment;
  const double d2 = mass2 * (centre2 * centre2 + length1 * centre2 * std::cos(theta2)) + moment;
  const double phi2 = mass2 * centre2 * gravity * std::cos(theta1 + theta2 - pi / 2.0);
  const double phi1 = -mass2 * length1 * centre2 * (velocity2 * velocity2) * std::sin(theta2) -
                      2 * mass2 * length1 * centre2 * velocity2 * velocity1 * std::sin(theta2) +
                      (mass1 * centre1 + mass2 * length1) * gravity * std::cos(theta1 - pi / 2) + phi2;
  const double second =
      (torque + d2 / d1 * phi1 - mass2 * length1 * centre2 * (velocity1 * velocity1) * std::sin(theta2) - phi2) /
      (mass2 * (centre2 * centre2) + moment - d2 * d2 / d1);
  const double first = -(d2 * second + phi1) / d1;
  return {velocity1, velocity2, first, second};
}

Four moved(const Four& from, const Four& by, double share) {
  Four to;
  for (std::size_t i = 0; i < 4; ++i) to[i] = from[i] + share * by[i];
  return to;
}

/// One step of Runge and Kutta's fourth order.
Four integrate(const Four& start, double torque) {
  const auto k1 = change(start, torque), k2 = change(moved(start, k1, tau / 2), torque),
             k3 = change(moved(start, k2, tau / 2), torque), k4 = change(moved(start, k3, tau), torque);
  Four end;
  for (std::size_t i = 0; i < 4; ++i) end[i] = start[i] + tau / 6.0 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
  return end;
}

double wrapped(double angle) {
  while (angle > pi) angle -= 2 * pi;
  while (angle < -pi) angle += 2 * pi;
  return angle;
}

}  // namespace

void AcrobotConfig::validate() const { require_limit(max_steps); }

AcrobotWorld::AcrobotWorld(const AcrobotConfig& config) : spec_(spec_of(config)) { config.validate(); }

AcrobotState AcrobotWorld::start(Random& random) const {
  const auto draw = [&] { return static_cast<double>(static_cast<float>(-0.1 + 0.2 * random.uniform())); };
  AcrobotState state;
  for (double* part : {&state.first, &state.second, &state.first_velocity, &state.second_velocity}) *part = draw();
  return state;
}

AcrobotState AcrobotWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"first angle", "second angle", "first velocity", "second velocity"});
  return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

Outcome AcrobotWorld::advance(State& state, std::int64_t action) const {
  const auto end = integrate({state.first, state.second, state.first_velocity, state.second_velocity},
                             static_cast<double>(action - 1));
  state = {wrapped(end[0]), wrapped(end[1]), std::clamp(end[2], -largest_velocity1, largest_velocity1),
           std::clamp(end[3], -largest_velocity2, largest_velocity2)};
  const bool arrived = -std::cos(state.first) - std::cos(state.second + state.first) > 1.0;
  return {.reward = arrived ? 0.0 : -1.0, .terminated = arrived};
}

void AcrobotWorld::observe(const State& state, float* out) const {
  out[0] = static_cast<float>(std::cos(state.first));
  out[1] = static_cast<float>(std::sin(state.first));
  out[2] = static_cast<float>(std::cos(state.second));
  out[3] = static_cast<float>(std::sin(state.second));
  out[4] = static_cast<float>(state.first_velocity);
  out[5] = static_cast<float>(state.second_velocity);
}

bool AcrobotWorld::possible(const State& state) const {
  return std::abs(state.first) <= pi && std::abs(state.second) <= pi &&
         std::abs(state.first_velocity) <= largest_velocity1 && std::abs(state.second_velocity) <= largest_velocity2;
}

Image AcrobotWorld::draw(const State& state, int width, int height) const {
  Canvas canvas(width, height, {.left = -2.6, .bottom = -2.2, .right = 2.6, .top = 2.2}, rgb(0xF6F7F9));
  canvas.line({-2.4, 1.0}, {2.4, 1.0}, 0.025, rgb(0xB4BCC8));
  const Point joint{std::sin(state.first), -std::cos(state.first)};
  const double bend = state.first + state.second;
  const Point tip{joint.x + std::sin(bend), joint.y - std::cos(bend)};
  canvas.line({0, 0}, joint, 0.18, rgb(0x3D4F6B));
  canvas.line(joint, tip, 0.18, rgb(0xE0A458));
  canvas.disc({0, 0}, 0.1, rgb(0x2B384D));
  canvas.disc(joint, 0.1, rgb(0x2B384D));
  canvas.disc(joint, 0.04, rgb(0xDDE3EC));
  return canvas.take();
}

template class Single<AcrobotWorld>;
template class Batch<AcrobotWorld>;

}  // namespace rlhf::environments
