#include "rlhf/environments/mountain_car.h"

#include <algorithm>
#include <cmath>

#include "rlhf/environments/canvas.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

constexpr double left_end = -1.2, right_end = 0.6, largest_velocity = 0.07, slope = 0.0025;
constexpr double goal = 0.5, goal_continuous = 0.45;

Spec spec_of(const char* name, Space action, const MountainCarConfig& config, nlohmann::json settings) {
  return {.name = name,
          .observation = Box{.shape = {2}, .low = {left_end, -largest_velocity}, .high = {right_end, largest_velocity}},
          .action = std::move(action),
          .max_steps = config.max_steps,
          .step_seconds = 1.0 / 30,  // the world has no unit of time: as fast as Gymnasium shows it
          .can = {.state = true, .render = true},
          .settings = std::move(settings)};
}

double height_at(double position) { return std::sin(3 * position) * 0.45 + 0.55; }

}  // namespace

void MountainCarConfig::validate() const { require_limit(max_steps); }

MountainCarState Hill::start(Random& random) const { return {-0.6 + 0.2 * random.uniform(), 0.0}; }

MountainCarState Hill::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"position", "velocity"});
  return {numbers[0], numbers[1]};
}

void Hill::observe(const State& state, float* out) const {
  out[0] = static_cast<float>(state.position);
  out[1] = static_cast<float>(state.velocity);
}

bool Hill::possible(const State& state) const {
  constexpr double rounding = 1e-6;  // of the continuous car's float32
  return state.position >= left_end - rounding && state.position <= right_end + rounding &&
         std::abs(state.velocity) <= largest_velocity + rounding;
}

void Hill::roll(State& state, double push) {
  state.velocity += push + std::cos(3 * state.position) * -slope;
  state.velocity = std::clamp(state.velocity, -largest_velocity, largest_velocity);
  state.position = std::clamp(state.position + state.velocity, left_end, right_end);
  if (state.position == left_end && state.velocity < 0) state.velocity = 0;
}

MountainCarWorld::MountainCarWorld(const Config& config)
    : Hill(
          spec_of("mountain_car", Discrete{{"push left", "do nothing", "push right"}}, config, rlhf::to_json(config))) {
  config.validate();
}

Outcome MountainCarWorld::advance(State& state, std::int64_t action) const {
  roll(state, static_cast<double>(action - 1) * 0.001);
  return {.reward = -1.0, .terminated = state.position >= goal && state.velocity >= 0};
}

MountainCarContinuousWorld::MountainCarContinuousWorld(const Config& config)
    : Hill(spec_of("mountain_car_continuous", Box{.shape = {1}, .low = {-1}, .high = {1}}, config,
                   rlhf::to_json(static_cast<const MountainCarConfig&>(config)))) {
  config.validate();
}

MountainCarState MountainCarContinuousWorld::start(Random& random) const {
  const auto drawn = Hill::start(random);
  return {static_cast<float>(drawn.position), 0.0};
}

Outcome MountainCarContinuousWorld::advance(State& state, const float* action) const {
  auto position = static_cast<float>(state.position), velocity = static_cast<float>(state.velocity);
  constexpr double power = 0.0015;
  const double pull = slope * std::cos(static_cast<double>(3 * position));
  // A push that is cut becomes a Python float there, and the difference is rounded once instead of twice.
  velocity += std::abs(action[0]) > 1 ? static_cast<float>(std::copysign(power, action[0]) - pull)
                                      : action[0] * static_cast<float>(power) - static_cast<float>(pull);
  velocity = std::clamp(velocity, static_cast<float>(-largest_velocity), static_cast<float>(largest_velocity));
  position = std::clamp(position + velocity, static_cast<float>(left_end), static_cast<float>(right_end));
  if (position == static_cast<float>(left_end) && velocity < 0) velocity = 0;
  state = {position, velocity};
  const bool arrived = position >= static_cast<float>(goal_continuous) && velocity >= 0;
  const double cost = static_cast<double>(action[0]) * static_cast<double>(action[0]) * 0.1;
  return {.reward = (arrived ? 100.0 : 0.0) - cost, .terminated = arrived};
}

Image Hill::draw(const State& state, int width, int height) const {
  Canvas canvas(width, height, {.left = left_end - 0.1, .bottom = -0.15, .right = right_end + 0.1, .top = 1.3},
                rgb(0xF6F7F9));
  constexpr int pieces = 60;
  const auto at = [](int i) { return left_end - 0.3 + (right_end - left_end + 0.6) * i / pieces; };
  for (int i = 0; i < pieces; ++i) {
    const double overlap = 0.02;  // no seam shows between the pieces
    const Point ground[] = {{at(i) - overlap, -1.0},
                            {at(i + 1), -1.0},
                            {at(i + 1), height_at(at(i + 1))},
                            {at(i) - overlap, height_at(at(i) - overlap)}};
    canvas.polygon(ground, rgb(0xD8E3D2));
    canvas.line({at(i), height_at(at(i))}, {at(i + 1), height_at(at(i + 1))}, 0.015, rgb(0x87A878));
  }
  const Point foot{goal, height_at(goal)};
  canvas.line(foot, {foot.x, foot.y + 0.22}, 0.012, rgb(0x7A8597));
  const Point flag[] = {{foot.x, foot.y + 0.13}, {foot.x + 0.1, foot.y + 0.175}, {foot.x, foot.y + 0.22}};
  canvas.polygon(flag, rgb(0xE0A458));
  // The car stands on the slope: along it, and square to it.
  const double angle = std::atan(std::cos(3 * state.position) * 3 * 0.45);
  const Point along{std::cos(angle), std::sin(angle)}, up{-along.y, along.x};
  const auto on_car = [&](double x, double y) {
    return Point{state.position + along.x * x + up.x * y, height_at(state.position) + along.y * x + up.y * y};
  };
  canvas.box(on_car(0, 0.055), 0.14, 0.055, 0.02, rgb(0x3D4F6B), angle);
  canvas.box(on_car(-0.01, 0.09), 0.07, 0.04, 0.015, rgb(0x5A6F91), angle);
  for (const double side : {-0.045, 0.045}) {
    canvas.disc(on_car(side, 0.026), 0.026, rgb(0x2B384D));
    canvas.disc(on_car(side, 0.026), 0.01, rgb(0xDDE3EC));
  }
  return canvas.take();
}

template class Single<MountainCarWorld>;
template class Batch<MountainCarWorld>;
template class Single<MountainCarContinuousWorld>;
template class Batch<MountainCarContinuousWorld>;

}  // namespace rlhf::environments
