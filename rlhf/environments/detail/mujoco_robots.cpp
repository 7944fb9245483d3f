#include "rlhf/environments/detail/mujoco_robots.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "rlhf/core/error.h"

namespace rlhf::environments::detail {
namespace {

using View = MujocoView;
using Stride = MujocoStride;
constexpr double endless = std::numeric_limits<double>::infinity();

// --- what is seen ---

double* copy(const double* numbers, int count, double* out) { return std::copy_n(numbers, count, out); }

double* copy_within(const double* numbers, int count, double limit, double* out) {
  return std::transform(numbers, numbers + count, out, [limit](double n) { return std::clamp(n, -limit, limit); });
}

/// Positions from `first` on, for what comes before says only how far the robot has got; then speeds within ± limit.
template <int first, int limit = 0>
double* joints(const View& now, double* out) {
  out = copy(now.qpos + first, now.positions - first, out);
  return limit ? copy_within(now.qvel, now.speeds, limit, out) : copy(now.qvel, now.speeds, out);
}

double* see_ant(const View& now, double* out) {
  return copy_within(now.contact + 6, 6 * (now.bodies - 1), 1, joints<2>(now, out));
}

double* see_humanoid(const View& now, double* out) {
  const int bodies = now.bodies - 1;  // all but the world
  out = joints<2>(now, out);
  out = copy(now.inertia + 10, 10 * bodies, out);
  out = copy(now.body_speed + 6, 6 * bodies, out);
  out = copy(now.actuator + 6, now.speeds - 6, out);
  return copy(now.contact + 6, 6 * bodies, out);
}

/// The reacher's bodies: world, two links, fingertip, target.
constexpr int fingertip = 3, target = 4;

double* see_reacher(const View& now, double* out) {
  for (int i = 0; i < 2; ++i) *out++ = std::cos(now.qpos[i]);
  for (int i = 0; i < 2; ++i) *out++ = std::sin(now.qpos[i]);
  out = copy(now.qpos + 2, 2, out);
  out = copy(now.qvel, 2, out);
  for (int i = 0; i < 2; ++i) *out++ = now.body_at[3 * fingertip + i] - now.body_at[3 * target + i];
  return out;
}

double* see_double_pendulum(const View& now, double* out) {
  *out++ = now.qpos[0];
  for (int i = 1; i < 3; ++i) *out++ = std::sin(now.qpos[i]);
  for (int i = 1; i < 3; ++i) *out++ = std::cos(now.qpos[i]);
  return copy_within(now.constraint, 1, 10, copy_within(now.qvel, 3, 10, out));
}

// --- how far it has got ---

double first_position(const View& now) { return now.qpos[0]; }
double torso(const View& now) { return now.body_at[3]; }
double nowhere(const View&) { return 0; }

double center_of_mass(const View& now) {
  double sum = 0, mass = 0;
  for (int i = 0; i < now.bodies; ++i) {
    sum += now.mass[i] * now.mass_at[3 * i];
    mass += now.mass[i];
  }
  return sum / mass;
}

// --- what is paid ---

double squares(const double* numbers, int count, double limit = endless) {
  double sum = 0;
  for (int i = 0; i < count; ++i) {
    const double number = std::clamp(numbers[i], -limit, limit);
    sum += number * number;
  }
  return sum;
}

bool within(double number, double low, double high) { return low < number && number < high; }

bool finite(const View& now) {
  const auto good = [](double number) { return std::isfinite(number); };
  return std::all_of(now.qpos, now.qpos + now.positions, good) && std::all_of(now.qvel, now.qvel + now.speeds, good);
}

bool hopper_stands(const View& now) {
  const auto usual = [](double number) { return within(number, -100, 100); };
  return std::all_of(now.qpos + 2, now.qpos + now.positions, usual) &&
         std::all_of(now.qvel, now.qvel + now.speeds, usual) && now.qpos[1] > 0.7 && within(now.qpos[2], -0.2, 0.2);
}

Outcome pay_hopper(const View& now, const Stride& stride) {
  const bool stands = hopper_stands(now);
  return {stride.speed + (stands ? 1 : 0) - 1e-3 * stride.effort, !stands};
}

Outcome pay_walker(const View& now, const Stride& stride) {
  const bool stands = within(now.qpos[1], 0.8, 2) && within(now.qpos[2], -1, 1);
  return {stride.speed + (stands ? 1 : 0) - 1e-3 * stride.effort, !stands};
}

Outcome pay_cheetah(const View&, const Stride& stride) { return {stride.speed - 0.1 * stride.effort, false}; }

Outcome pay_swimmer(const View&, const Stride& stride) { return {stride.speed - 1e-4 * stride.effort, false}; }

Outcome pay_ant(const View& now, const Stride& stride) {
  const bool stands = finite(now) && now.qpos[2] >= 0.2 && now.qpos[2] <= 1;
  const double contact = 5e-4 * squares(now.contact, 6 * now.bodies, 1);
  return {stride.speed + (stands ? 1 : 0) - 0.5 * stride.effort - contact, !stands};
}

Outcome pay_humanoid(const View& now, const Stride& stride) {
  const bool stands = within(now.qpos[2], 1, 2);
  const double contact = std::min(5e-7 * squares(now.contact, 6 * now.bodies), 10.0);
  return {1.25 * stride.speed + (stands ? 5 : 0) - 0.1 * stride.effort - contact, !stands};
}

double reacher_distance(const View& now) {
  double square = 0;
  for (int i = 0; i < 3; ++i) {
    const double apart = now.body_at[3 * fingertip + i] - now.body_at[3 * target + i];
    square += apart * apart;
  }
  return std::sqrt(square);
}

Outcome pay_reacher(const View& now, const Stride& stride) { return {-reacher_distance(now) - stride.effort, false}; }

Outcome pay_pendulum(const View& now, const Stride&) {
  const bool stands = finite(now) && std::abs(now.qpos[1]) <= 0.2;
  return {stands ? 1.0 : 0.0, !stands};
}

/// Without what is paid for standing.
double double_pendulum_costs(const View& now) {
  const double x = now.site_at[0], above = now.site_at[2] - 2;
  const double first = now.qvel[1], second = now.qvel[2];
  return 0.01 * x * x + above * above + 1e-3 * first * first + 5e-3 * second * second;
}

Outcome pay_double_pendulum(const View& now, const Stride&) {
  const bool stands = now.site_at[2] > 1;
  return {(stands ? 10 : 0) - double_pendulum_costs(now), !stands};
}

// --- the start ---

/// The target lies in a circle of 0.2 m and stands still.
void place_target(const View& now, Random& random) {
  do
    for (int i = 2; i < 4; ++i) now.qpos[i] = 0.2 * (2 * random.uniform() - 1);
  while (std::hypot(now.qpos[2], now.qpos[3]) >= 0.2);
  now.qvel[2] = now.qvel[3] = 0;
}

// --- the robots ---

const MujocoRobot robots[] = {
    {.name = "hopper",
     .model = "hopper.xml",
     .skip = 4,
     .observed = 11,
     .position_noise = 5e-3,
     .speed_noise = 5e-3,
     .place = first_position,
     .observe = joints<1, 10>,
     .pay = pay_hopper,
     .pay_as_2017 = [](const View& now, const Stride& stride) { return stride.speed + 1 + (now.qpos[1] - 1); },
     .camera = {.center = 0.8, .half_height = 1.1}},
    {.name = "walker2d",
     .model = "walker2d_v5.xml",
     .skip = 4,
     .observed = 17,
     .position_noise = 5e-3,
     .speed_noise = 5e-3,
     .place = first_position,
     .observe = joints<1, 10>,
     .pay = pay_walker,
     .pay_as_2017 = [](const View& now, const Stride& stride) { return stride.speed + 1 + (now.qpos[1] - 2); },
     .camera = {.center = 0.8, .half_height = 1.1}},
    {.name = "half_cheetah",
     .model = "half_cheetah.xml",
     .skip = 5,
     .observed = 17,
     .position_noise = 0.1,
     .speed_noise = 0.1,
     .normal_speeds = true,
     .place = first_position,
     .observe = joints<1>,
     .pay = pay_cheetah,
     .pay_as_2017 = [](const View&, const Stride& stride) { return stride.speed; },
     .camera = {.center = 0.6, .half_height = 1.0}},
    {.name = "ant",
     .model = "ant.xml",
     .skip = 5,
     .observed = 105,
     .position_noise = 0.1,
     .speed_noise = 0.1,
     .normal_speeds = true,
     .place = torso,
     .observe = see_ant,
     .pay = pay_ant,
     .pay_as_2017 = [](const View& now, const Stride& stride) { return stride.speed + (now.qpos[2] - 1.2); },
     .camera = {.elevation = 35, .azimuth = 75, .center = 0.4, .half_height = 1.6, .wide = true}},
    {.name = "humanoid",
     .model = "humanoid.xml",
     .skip = 5,
     .observed = 348,
     .position_noise = 0.01,
     .speed_noise = 0.01,
     .place = center_of_mass,
     .observe = see_humanoid,
     .pay = pay_humanoid,
     .pay_as_2017 = [](const View& now, const Stride& stride) { return 1.25 * stride.speed + 5 * (now.qpos[2] - 1); },
     .camera = {.elevation = 18, .azimuth = 120, .center = 1.0, .half_height = 1.3, .wide = true}},
    {.name = "swimmer",
     .model = "swimmer.xml",
     .skip = 4,
     .observed = 8,
     .position_noise = 0.1,
     .speed_noise = 0.1,
     .place = first_position,
     .observe = joints<2>,
     .pay = pay_swimmer,
     .pay_as_2017 = [](const View&, const Stride& stride) { return stride.speed; },
     .camera = {.elevation = 90, .center = 0, .half_height = 2.2, .wide = true}},
    {.name = "reacher",
     .model = "reacher.xml",
     .skip = 2,
     .max_steps = 50,
     .observed = 10,
     .position_noise = 0.1,
     .speed_noise = 0.005,
     .arrange = place_target,
     .place = nowhere,
     .observe = see_reacher,
     .pay = pay_reacher,
     .pay_as_2017 = [](const View& now, const Stride&) { return -reacher_distance(now); },
     .camera = {.elevation = 90, .center = 0, .half_height = 0.34, .follows = false, .wide = true}},
    {.name = "inverted_pendulum",
     .model = "inverted_pendulum.xml",
     .skip = 2,
     .observed = 4,
     .position_noise = 0.01,
     .speed_noise = 0.01,
     .place = nowhere,
     .observe = joints<0>,
     .pay = pay_pendulum,
     .pay_as_2017 = [](const View& now, const Stride&) { return 1 - now.qpos[1] * now.qpos[1]; },
     .camera = {.elevation = 0, .center = 0.25, .half_height = 0.95, .follows = false}},
    {.name = "inverted_double_pendulum",
     .model = "inverted_double_pendulum.xml",
     .skip = 5,
     .observed = 9,
     .position_noise = 0.1,
     .speed_noise = 0.1,
     .normal_speeds = true,
     .place = nowhere,
     .observe = see_double_pendulum,
     .pay = pay_double_pendulum,
     .pay_as_2017 =
         [](const View& now, const Stride&) { return 10 - double_pendulum_costs(now) + 10 * (now.site_at[2] - 1); },
     .camera = {.elevation = 0, .center = 0.45, .half_height = 1.05, .follows = false}},
};

}  // namespace

std::span<const MujocoRobot> mujoco_robots() { return robots; }

const MujocoRobot& mujoco_robot(const std::string& name) {
  for (const auto& robot : robots)
    if (robot.name == name) return robot;
  throw Error({.category = Category::usage,
               .where = "MuJoCo",
               .what = "there is no robot '" + name + "'",
               .fix = "`rlhf env ls` lists them."});
}

}  // namespace rlhf::environments::detail
