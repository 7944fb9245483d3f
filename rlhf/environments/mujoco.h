#pragma once
#include <memory>
#include <vector>

#include "rlhf/core/fields.h"
#include "rlhf/core/seed.h"
#include "rlhf/environments/environment.h"

namespace rlhf::environments {

namespace detail {
struct MujocoRobot;
class MujocoSimulation;
}  // namespace detail

enum class MujocoTask {
  gymnasium,    // version 5 of Gymnasium
  preferences,  // as Christiano et al. 2017 (arXiv:1706.03741) changed it: no control costs, no end but the time
                // limit, and a bonus for height, so that neither says what people should
};

struct MujocoConfig {
  std::int64_t max_steps = 1000;
  MujocoTask task = MujocoTask::gymnasium;

  void fields(Fields& f) {
    f.field("max_steps", max_steps, "the episode is truncated then; 0 = no limit");
    f.choice("task", task, {{"gymnasium", MujocoTask::gymnasium}, {"preferences", MujocoTask::preferences}},
             "what earns reward and ends episodes: Gymnasium's v5, or what people judged in 2017 (no control costs, no "
             "end, a bonus for height)");
  }
  void validate() const;
};

/// ant, half_cheetah, hopper, humanoid, inverted_double_pendulum, inverted_pendulum, reacher, swimmer, walker2d.
std::vector<std::string> mujoco_robot_names();

/// Gymnasium's time limit: 1000 steps, the reacher's 50.
MujocoConfig mujoco_defaults(const std::string& robot);

/// What has to be done before there can be one; empty where MuJoCo is installed.
std::string mujoco_missing();

/// A robot of Gymnasium's MuJoCo family, version 5, in the MuJoCo that tools/pins.txt pins. To 1e-6 after 100 steps it
/// moves, sees and earns what Gymnasium's does from the same state (tests/reference/environments/make_mujoco.py).
///
///   observation  float64: joints and their speeds; of ant and humanoid also forces, of the humanoid also inertias
///   action       float32 [motors]: not cut to the bounds by the reward; the motors cut it
///   start        the model's, with noise; option "state": all positions, then all speeds
///   state        the physics, what was seen and how far the robot had got: 0.1 to 3.4 KB
///
/// Throws rlhf::Error (resource) where MuJoCo is not installed.
class Mujoco final : public Environment {
 public:
  Mujoco(const std::string& robot, const MujocoConfig& config);
  ~Mujoco() override;

  const Spec& spec() const override { return spec_; }
  using Environment::reset;
  Start reset(std::uint64_t seed, const nlohmann::json& options) override;
  Step step(const Action& action) override;
  Array observation() const override { return seen_; }
  std::string state() const override;
  void set_state(std::string_view bytes) override;
  Image render(int width, int height) const override;

 private:
  void begin(Random& random, const nlohmann::json& options);
  void look();

  const detail::MujocoRobot& robot_;
  MujocoConfig config_;
  std::unique_ptr<detail::MujocoSimulation> simulation_;
  Spec spec_;
  std::int64_t steps_ = 0;
  bool running_ = false;
  double place_ = 0.0;  // m along x, as the robot measures it
  std::vector<double> seen_;
};

}  // namespace rlhf::environments
