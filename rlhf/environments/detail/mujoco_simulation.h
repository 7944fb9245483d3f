#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rlhf::environments::detail {

/// The release of MuJoCo that tools/pins.txt pins, as mj_version() says it: another one moves differently.
constexpr int mujoco_version = 4000000;

/// Raised when anything in this file changes: a plug-in that was built for another shape of it is not used.
constexpr int mujoco_interface = 1;

/// Where a running simulation keeps its numbers; the pointers stay good as long as it lives.
struct MujocoView {
  int positions = 0, speeds = 0, controls = 0, bodies = 0;
  double timestep = 0.0;        // s
  const double* control_range;  // [controls, 2]
  const double* start;          // [positions] as the model's file sets them
  const double* mass;           // [bodies] kg
  double *qpos, *qvel;          // [positions], [speeds]
  double* control;              // [controls]
  const double* body_at;        // [bodies, 3] m; after a step these are of its last stage, as in Gymnasium
  const double* mass_at;        // [bodies, 3] centres of mass
  const double* site_at;        // [sites, 3]
  const double* inertia;        // [bodies, 10]
  const double* body_speed;     // [bodies, 6]
  const double* contact;        // [bodies, 6] forces from outside
  const double* actuator;       // [speeds] forces of the motors
  const double* constraint;     // [speeds] forces of limits and contacts
};

/// One visible part of a robot or its surroundings.
struct MujocoShape {
  enum Kind { plane, sphere, capsule } kind = sphere;
  double center[3] = {}, axis[3] = {};     // m; the axis has length 1: along a capsule, or a plane's normal
  double radius = 0.0, half_length = 0.0;  // m
  float red = 0, green = 0, blue = 0;      // 0..1
};

/// A MuJoCo model and the state of one simulation of it. All that includes MuJoCo's headers is the plug-in behind it.
class MujocoSimulation {
 public:
  virtual ~MujocoSimulation() = default;

  MujocoView view;

  virtual int body(const char* name) const = 0;  // its index, -1 where there is none
  virtual void reset() = 0;                      // as the file has it, at rest
  virtual void forward() = 0;                    // what follows from qpos and qvel
  virtual void step(int times) = 0;              // and then the forces from outside

  /// All that decides the future: time, positions, speeds, and where the solver begins.
  virtual std::vector<double> state() const = 0;
  virtual int state_numbers() const = 0;
  virtual void set_state(const double* numbers) = 0;

  /// A pure function of qpos, so that a state that was kept looks as it did.
  virtual std::vector<MujocoShape> shapes() const = 0;
};

/// Loads the plug-in on first use. `model` is a file of Gymnasium's assets: "hopper.xml". Throws rlhf::Error
/// (resource): it is not installed, or it is of another version.
std::unique_ptr<MujocoSimulation> open_mujoco(const std::string& model);

/// What to do before open_mujoco works; empty where it does.
std::string mujoco_missing();

}  // namespace rlhf::environments::detail
