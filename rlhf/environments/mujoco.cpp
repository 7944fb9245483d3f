#include "rlhf/environments/mujoco.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <numeric>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/mujoco_picture.h"
#include "rlhf/environments/detail/mujoco_robots.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

Spec spec_of(const detail::MujocoRobot& robot, const MujocoConfig& config, const detail::MujocoView& view) {
  std::vector<double> low, high;
  for (int i = 0; i < view.controls; ++i) {
    low.push_back(view.control_range[2 * i]);
    high.push_back(view.control_range[2 * i + 1]);
  }
  const double inf = HUGE_VAL;
  return {.name = robot.name,
          .observation = Box{.dtype = Dtype::float64, .shape = {robot.observed}, .low = {-inf}, .high = {inf}},
          .action = Box{.shape = {view.controls}, .low = std::move(low), .high = std::move(high)},
          .max_steps = config.max_steps,
          .step_seconds = view.timestep * robot.skip,
          .can = {.state = true, .render = true},
          .settings = rlhf::to_json(config)};
}

}  // namespace

void MujocoConfig::validate() const { require_limit(max_steps); }

std::vector<std::string> mujoco_robot_names() {
  std::vector<std::string> names;
  for (const auto& robot : detail::mujoco_robots()) names.push_back(robot.name);
  return names;
}

MujocoConfig mujoco_defaults(const std::string& robot) { return {.max_steps = detail::mujoco_robot(robot).max_steps}; }

std::string mujoco_missing() { return detail::mujoco_missing(); }

Mujoco::Mujoco(const std::string& robot, const MujocoConfig& config)
    : robot_(detail::mujoco_robot(robot)),
      config_(config),
      simulation_(detail::open_mujoco(robot_.model)),
      spec_(spec_of(robot_, config, simulation_->view)),
      seen_(static_cast<std::size_t>(robot_.observed)) {
  config.validate();
}

Mujoco::~Mujoco() = default;

void Mujoco::look() {
  place_ = robot_.place(simulation_->view);
  [[maybe_unused]] const double* end = robot_.observe(simulation_->view, seen_.data());
  assert(end == seen_.data() + seen_.size());
}

void Mujoco::begin(Random& random, const nlohmann::json& options) {
  const auto& view = simulation_->view;
  const auto given = given_state(spec_, options);
  const auto numbers = static_cast<std::size_t>(view.positions + view.speeds);
  if (!given.empty() && (given.size() != numbers || !std::isfinite(std::accumulate(given.begin(), given.end(), 0.0))))
    throw Error({.category = Category::usage,
                 .where = "environment " + spec_.name,
                 .what = fmt::format("the option 'state' of reset holds {} numbers", given.size()),
                 .fix = fmt::format("Give {} positions and {} speeds.", view.positions, view.speeds)});
  simulation_->reset();
  for (int i = 0; i < view.positions; ++i)
    view.qpos[i] = view.start[i] + robot_.position_noise * (2 * random.uniform() - 1);
  for (int i = 0; i < view.speeds; ++i)
    view.qvel[i] = robot_.speed_noise * (robot_.normal_speeds ? random.normal() : 2 * random.uniform() - 1);
  if (robot_.arrange) robot_.arrange(view, random);
  if (given.empty()) return;
  std::copy_n(given.begin(), view.positions, view.qpos);
  std::copy_n(given.begin() + view.positions, view.speeds, view.qvel);
}

Start Mujoco::reset(std::uint64_t seed, const nlohmann::json& options) {
  check_options(spec_, options, {"state"});
  Random random(derive(seed, {hash(spec_.name + ".reset")}));
  begin(random, options);
  simulation_->forward();
  steps_ = 0;
  running_ = true;
  look();
  return {.observation = seen_};
}

Step Mujoco::step(const Action& action) {
  if (!running_) throw_not_running(spec_);
  const float* numbers = checked_numbers(spec_, action);
  auto& view = simulation_->view;
  detail::MujocoStride stride;
  for (int i = 0; i < view.controls; ++i) {
    view.control[i] = numbers[i];
    stride.effort += view.control[i] * view.control[i];
  }
  const double before = place_;
  simulation_->step(robot_.skip);
  look();
  stride.speed = (place_ - before) / spec_.step_seconds;
  const auto outcome = config_.task == MujocoTask::gymnasium ? robot_.pay(view, stride)
                                                             : Outcome{.reward = robot_.pay_as_2017(view, stride)};
  const bool truncated = ++steps_ == spec_.max_steps;
  running_ = !outcome.terminated && !truncated;
  return {.observation = seen_, .reward = outcome.reward, .terminated = outcome.terminated, .truncated = truncated};
}

// A state is three numbers, the physics, and what was seen: the forces in an observation are those of the step's last
// stage, which the physics alone does not bring back.
std::string Mujoco::state() const {
  std::vector<double> numbers = {static_cast<double>(steps_), running_ ? 1.0 : 0.0, place_};
  const auto physics = simulation_->state();
  numbers.insert(numbers.end(), physics.begin(), physics.end());
  numbers.insert(numbers.end(), seen_.begin(), seen_.end());
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double)};
}

void Mujoco::set_state(std::string_view bytes) {
  const auto physics = static_cast<std::size_t>(simulation_->state_numbers());
  std::vector<double> numbers(3 + physics + seen_.size());
  if (bytes.size() != numbers.size() * sizeof(double)) throw_no_state(spec_);
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  if (!(numbers[0] >= 0) || (numbers[1] != 0 && numbers[1] != 1)) throw_no_state(spec_);
  steps_ = static_cast<std::int64_t>(numbers[0]);
  running_ = numbers[1] != 0;
  place_ = numbers[2];
  simulation_->set_state(numbers.data() + 3);
  std::copy(numbers.end() - robot_.observed, numbers.end(), seen_.begin());
}

Image Mujoco::render(int width, int height) const {
  return detail::draw_mujoco(simulation_->shapes(), robot_.camera, width, height);
}

}  // namespace rlhf::environments
