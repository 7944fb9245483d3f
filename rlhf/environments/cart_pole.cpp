#include "rlhf/environments/cart_pole.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/environments/detail/cart_pole_picture.h"

namespace rlhf::environments {
namespace {

constexpr double gravity = 9.8, cart_mass = 1.0, pole_mass = 0.1, half_length = 0.5, force_size = 10.0, tau = 0.02;
constexpr double total_mass = cart_mass + pole_mass, pole_moment = pole_mass * half_length;
constexpr double largest_angle = 12 * 2 * std::numbers::pi / 360, largest_position = 2.4;

Spec spec_of(const CartPoleConfig& config) {
  constexpr double free = std::numeric_limits<double>::infinity();
  const std::vector<double> high = {2 * largest_position, free, 2 * largest_angle, free};
  return {.name = "cart_pole",
          .observation = Box{.shape = {4}, .low = {-high[0], -free, -high[2], -free}, .high = high},
          .action = Discrete{{"push left", "push right"}},
          .max_steps = config.max_steps,
          .step_seconds = tau,
          .can = {.state = true, .render = true},
          .settings = rlhf::to_json(config)};
}

CartPoleState start_given(const Spec& spec, const nlohmann::json& values) {
  try {
    const auto numbers = values.get<std::array<double, 4>>();
    return {numbers[0], numbers[1], numbers[2], numbers[3]};
  } catch (const nlohmann::json::exception&) {
    throw Error({.category = Category::usage,
                 .where = "environment " + spec.name,
                 .what = "the option 'state' of reset is " + values.dump(),
                 .fix = "Give four numbers: position, velocity, angle, angular velocity."});
  }
}

}  // namespace

CartPoleState advance(const CartPoleState& state, bool push_right) {
  const auto& [x, x_dot, theta, theta_dot] = state;
  const double force = push_right ? force_size : -force_size;
  const double cosine = std::cos(theta), sine = std::sin(theta);
  const double pushed = (force + pole_moment * (theta_dot * theta_dot) * sine) / total_mass;
  const double angular_acceleration =
      (gravity * sine - cosine * pushed) / (half_length * (4.0 / 3.0 - pole_mass * (cosine * cosine) / total_mass));
  const double acceleration = pushed - pole_moment * angular_acceleration * cosine / total_mass;
  return {x + tau * x_dot, x_dot + tau * acceleration, theta + tau * theta_dot, theta_dot + tau * angular_acceleration};
}

bool failed(const CartPoleState& state) {
  return std::abs(state.position) > largest_position || std::abs(state.angle) > largest_angle;
}

void CartPoleConfig::validate() const {
  if (max_steps >= 0) return;
  throw Error({.category = Category::usage,
               .where = "max_steps",
               .what = "it is negative",
               .fix = "Give the longest episode in steps, or 0 for no limit."});
}

CartPole::CartPole(const CartPoleConfig& config) : config_(config), spec_(spec_of(config)) { config.validate(); }

Start CartPole::reset(std::uint64_t seed, const nlohmann::json& options) {
  check_options(spec_, options, {"state"});
  Random random(derive(seed, {hash("cart_pole.reset")}));
  const auto draw = [&] { return -0.05 + 0.1 * random.uniform(); };
  now_ = {.running = 1};
  for (double* part :
       {&now_.physics.position, &now_.physics.velocity, &now_.physics.angle, &now_.physics.angular_velocity}) {
    *part = draw();
  }
  if (options.is_object() && options.contains("state")) now_.physics = start_given(spec_, options["state"]);
  return {.observation = observation()};
}

Step CartPole::step(const Action& action) {
  if (!now_.running) throw_not_running(spec_);
  now_.physics = advance(now_.physics, checked_choice(spec_, action) == 1);
  ++now_.steps;
  const bool fell = failed(now_.physics);
  const bool late = config_.max_steps > 0 && now_.steps >= config_.max_steps;
  now_.running = !fell && !late;
  const double reward = config_.sutton_barto_reward ? (fell ? -1.0 : 0.0) : 1.0;
  return {.observation = observation(), .reward = reward, .terminated = fell, .truncated = late};
}

std::string CartPole::state() const { return {reinterpret_cast<const char*>(&now_), sizeof now_}; }

void CartPole::set_state(std::string_view bytes) {
  Moment moment;
  bool good = bytes.size() == sizeof moment;
  if (good) {
    std::memcpy(&moment, bytes.data(), sizeof moment);
    const auto& [x, x_dot, theta, theta_dot] = moment.physics;
    good = std::isfinite(x) && std::isfinite(x_dot) && std::isfinite(theta) && std::isfinite(theta_dot) &&
           moment.steps >= 0 && (moment.running == 0 || moment.running == 1);
  }
  if (!good) {
    throw Error({.category = Category::bad_data,
                 .where = "environment cart_pole",
                 .what = "these bytes are no state of it",
                 .fix = "Give what state() of the same environment returned."});
  }
  now_ = moment;
}

Image CartPole::render(int width, int height) const {
  return draw_cart_pole(now_.physics, {.track = largest_position, .pole = 2 * half_length}, width, height);
}

Array CartPole::observation() const {
  const auto& [x, x_dot, theta, theta_dot] = now_.physics;
  return std::vector<float>{static_cast<float>(x), static_cast<float>(x_dot), static_cast<float>(theta),
                            static_cast<float>(theta_dot)};
}

}  // namespace rlhf::environments
