#pragma once
#include <span>
#include <string>

#include "rlhf/core/seed.h"
#include "rlhf/environments/detail/mujoco_simulation.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments::detail {

/// What a step was like, for the reward.
struct MujocoStride {
  double speed = 0.0;   // m/s along x, of what the robot's `place` measures
  double effort = 0.0;  // sum of the squared controls
};

/// From where people look at a robot.
struct MujocoCamera {
  double elevation = 12.0;   // degrees above the ground
  double azimuth = 90.0;     // degrees: 90 looks along y, so that x goes to the right
  double center = 1.0;       // m: the height at the middle of the picture
  double half_height = 1.3;  // m shown above and below it
  bool follows = true;       // it goes with the robot
  bool wide = false;         // the ground is shown to all sides, not as a track
};

/// One robot of Gymnasium's MuJoCo family, version 5: its file, its start, what it sees and what it is paid.
struct MujocoRobot {
  std::string name, model;
  int skip = 1;  // physics steps in one of the environment's
  std::int64_t max_steps = 1000;
  std::int64_t observed = 0;  // numbers
  double position_noise = 0.0, speed_noise = 0.0;
  bool normal_speeds = false;                                    // speeds of the start are normal, not uniform
  void (*arrange)(const MujocoView&, Random&) = nullptr;         // more of the start
  double (*place)(const MujocoView&) = nullptr;                  // m along x
  double* (*observe)(const MujocoView&, double* out) = nullptr;  // returns the end of what it wrote
  Outcome (*pay)(const MujocoView&, const MujocoStride&) = nullptr;
  double (*pay_as_2017)(const MujocoView&, const MujocoStride&) = nullptr;  // see MujocoTask::preferences
  MujocoCamera camera;
};

std::span<const MujocoRobot> mujoco_robots();

/// Throws rlhf::Error (usage) for an unknown one.
const MujocoRobot& mujoco_robot(const std::string& name);

}  // namespace rlhf::environments::detail
