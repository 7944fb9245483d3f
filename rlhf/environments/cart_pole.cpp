#include "rlhf/environments/cart_pole.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/cart_pole_picture.h"
#include "rlhf/environments/detail/world_impl.h"

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

struct SineAndCosine {
  double sine, cosine;
};

/// Within half a radian, where the pole is until it falls, their series, exact but for the last bit: the library's
/// calls were a quarter of a step's time.
inline SineAndCosine sine_and_cosine(double angle) {
  if (std::abs(angle) > 0.5) [[unlikely]]
    return {std::sin(angle), std::cos(angle)};
  constexpr double s3 = -1.0 / 6, s5 = 1.0 / 120, s7 = -1.0 / 5040, s9 = 1.0 / 362880, s11 = -1.0 / 39916800,
                   s13 = 1.0 / 6227020800;
  constexpr double c2 = -1.0 / 2, c4 = 1.0 / 24, c6 = -1.0 / 720, c8 = 1.0 / 40320, c10 = -1.0 / 3628800,
                   c12 = 1.0 / 479001600, c14 = -1.0 / 87178291200;
  const double x = angle * angle;
  return {angle + angle * x * (s3 + x * (s5 + x * (s7 + x * (s9 + x * (s11 + x * s13))))),
          1 + x * (c2 + x * (c4 + x * (c6 + x * (c8 + x * (c10 + x * (c12 + x * c14))))))};
}

/// advance(), for its callers here to be one with: a tenth of a step's time.
[[gnu::always_inline]] inline CartPoleState after(const CartPoleState& state, bool push_right) {
  const auto& [x, x_dot, theta, theta_dot] = state;
  const double force = push_right ? force_size : -force_size;
  const auto [sine, cosine] = sine_and_cosine(theta);
  const double pushed = (force + pole_moment * (theta_dot * theta_dot) * sine) / total_mass;
  const double angular_acceleration =
      (gravity * sine - cosine * pushed) / (half_length * (4.0 / 3.0 - pole_mass * (cosine * cosine) / total_mass));
  const double acceleration = pushed - pole_moment * angular_acceleration * cosine / total_mass;
  return {x + tau * x_dot, x_dot + tau * acceleration, theta + tau * theta_dot, theta_dot + tau * angular_acceleration};
}

}  // namespace

CartPoleState advance(const CartPoleState& state, bool push_right) { return after(state, push_right); }

bool failed(const CartPoleState& state) {
  return std::abs(state.position) > largest_position || std::abs(state.angle) > largest_angle;
}

void CartPoleConfig::validate() const { require_limit(max_steps); }

CartPoleWorld::CartPoleWorld(const CartPoleConfig& config) : config_(config), spec_(spec_of(config)) {
  config.validate();
}

CartPoleState CartPoleWorld::start(Random& random) const {
  const auto draw = [&] { return -0.05 + 0.1 * random.uniform(); };
  CartPoleState state;
  for (double* part : {&state.position, &state.velocity, &state.angle, &state.angular_velocity}) *part = draw();
  return state;
}

CartPoleState CartPoleWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"position", "velocity", "angle", "angular velocity"});
  return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

Outcome CartPoleWorld::advance(State& state, std::int64_t action) const {
  state = after(state, action == 1);
  const bool fell = failed(state);
  return {.reward = config_.sutton_barto_reward ? (fell ? -1.0 : 0.0) : 1.0, .terminated = fell};
}

void CartPoleWorld::observe(const State& state, float* out) const {
  out[0] = static_cast<float>(state.position);
  out[1] = static_cast<float>(state.velocity);
  out[2] = static_cast<float>(state.angle);
  out[3] = static_cast<float>(state.angular_velocity);
}

bool CartPoleWorld::possible(const State& state) const {
  return std::isfinite(state.position) && std::isfinite(state.velocity) && std::isfinite(state.angle) &&
         std::isfinite(state.angular_velocity);
}

Image CartPoleWorld::draw(const State& state, int width, int height) const {
  return draw_cart_pole(state, {.track = largest_position, .pole = 2 * half_length}, width, height);
}

template class Single<CartPoleWorld>;
template class Batch<CartPoleWorld>;

}  // namespace rlhf::environments
