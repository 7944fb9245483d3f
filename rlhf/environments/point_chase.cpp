#include "rlhf/environments/point_chase.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "rlhf/core/require.h"
#include "rlhf/environments/canvas.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

constexpr double tau = 1.0 / 30.0, half = 1.0;
constexpr std::array<std::array<double, 2>, 5> moves = {{{0, 0}, {0, 1}, {1, 0}, {0, -1}, {-1, 0}}};

Spec spec_of(const PointChaseConfig& config) {
  const double fast = config.ball_speed;
  return {.name = "point_chase",
          .observation = Box{.shape = {6}, .low = {-1, -1, -2, -2, -fast, -fast}, .high = {1, 1, 2, 2, fast, fast}},
          .action = Discrete{{"stay", "up", "right", "down", "left"}},
          .max_steps = config.max_steps,
          .step_seconds = tau,
          .can = {.state = true, .render = true},
          .settings = rlhf::to_json(config)};
}

double anywhere(Random& random) { return half * (2 * random.uniform() - 1); }

/// Moves one coordinate; true when it bounced off a side.
bool roll(double& place, double by) {
  place += by;
  if (std::abs(place) <= half) return false;
  place = std::copysign(2 * half, place) - place;
  return true;
}

}  // namespace

void PointChaseConfig::validate() const {
  require_limit(max_steps);
  require_setting(speed > 0 && speed <= 15, "speed", "Give more than 0 and at most 15 units a second.");
  require_setting(ball_speed >= 0 && ball_speed <= 15, "ball_speed", "Give 0 to 15 units a second.");
  require_setting(wander >= 0 && wander <= 100, "wander", "Give 0 to 100 rad.");
}

PointChaseWorld::PointChaseWorld(const PointChaseConfig& config) : config_(config), spec_(spec_of(config)) {
  config.validate();
}

PointChaseState PointChaseWorld::start(Random& random) const {
  PointChaseState state;
  for (double* place : {&state.x, &state.y, &state.ball_x, &state.ball_y}) *place = anywhere(random);
  state.heading = std::numbers::pi * anywhere(random);
  return state;
}

PointChaseState PointChaseWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"x", "y", "ball x", "ball y", "heading"});
  const PointChaseState state{
      .x = numbers[0], .y = numbers[1], .ball_x = numbers[2], .ball_y = numbers[3], .heading = numbers[4]};
  if (!possible(state))
    throw Error({.category = Category::usage,
                 .where = "environment point_chase",
                 .what = "the option 'state' of reset puts something outside the square",
                 .fix = "Give places from -1 to 1."});
  return state;
}

Outcome PointChaseWorld::advance(State& state, std::int64_t action, Random& random) const {
  const auto& move = moves[static_cast<std::size_t>(action)];
  state.x = std::clamp(state.x + move[0] * config_.speed * tau, -half, half);
  state.y = std::clamp(state.y + move[1] * config_.speed * tau, -half, half);
  state.moved = action;
  if (config_.wander > 0) state.heading += config_.wander * std::sqrt(tau) * random.normal();
  const double by = config_.ball_speed * tau;
  const double along_x = by * std::cos(state.heading), along_y = by * std::sin(state.heading);
  if (roll(state.ball_x, along_x)) state.heading = std::numbers::pi - state.heading;
  if (roll(state.ball_y, along_y)) state.heading = -state.heading;
  const double distance = std::hypot(state.ball_x - state.x, state.ball_y - state.y);
  return {.reward = std::max(0.0, 1 - distance)};
}

void PointChaseWorld::observe(const State& state, float* out) const {
  out[0] = static_cast<float>(state.x);
  out[1] = static_cast<float>(state.y);
  out[2] = static_cast<float>(state.ball_x - state.x);
  out[3] = static_cast<float>(state.ball_y - state.y);
  out[4] = static_cast<float>(config_.ball_speed * std::cos(state.heading));
  out[5] = static_cast<float>(config_.ball_speed * std::sin(state.heading));
}

bool PointChaseWorld::possible(const State& state) const {
  const auto inside = [](double place) { return std::abs(place) <= half; };
  return inside(state.x) && inside(state.y) && inside(state.ball_x) && inside(state.ball_y) &&
         std::isfinite(state.heading) && state.moved >= 0 && state.moved < std::ssize(moves);
}

Image PointChaseWorld::draw(const State& state, int width, int height) const {
  Canvas canvas(width, height, {.left = -1.25, .bottom = -1.25, .right = 1.25, .top = 1.25}, rgb(0xF3EFE6));
  canvas.box({0, 0}, 2.3, 2.3, 0.08, rgb(0xC9B899));
  canvas.box({0, 0}, 2.2, 2.2, 0.05, rgb(0xDCE8CF));
  const Point ball{state.ball_x, state.ball_y}, robot{state.x, state.y};
  canvas.glow({ball.x, ball.y - 0.03}, 0.22, 0.16, rgb(0x40513A, 0.3));
  canvas.disc(ball, 0.07, rgb(0xD9512C));
  canvas.disc({ball.x - 0.02, ball.y + 0.025}, 0.02, rgb(0xF6C1AE));
  canvas.glow({robot.x, robot.y - 0.04}, 0.32, 0.24, rgb(0x40513A, 0.3));
  canvas.disc(robot, 0.1, rgb(0x3D6FB4));
  canvas.disc(robot, 0.07, rgb(0x8FB3E0));
  const auto& move = moves[static_cast<std::size_t>(state.moved)];  // an arrow in the direction it was sent
  if (state.moved > 0) canvas.line(robot, {robot.x + 0.13 * move[0], robot.y + 0.13 * move[1]}, 0.035, rgb(0x2B384D));
  canvas.disc(robot, 0.03, rgb(0x2B384D));
  return canvas.take();
}

template class Single<PointChaseWorld>;
template class Batch<PointChaseWorld>;

}  // namespace rlhf::environments
