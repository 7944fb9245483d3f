#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

/// The angle is zero upright and grows counter-clockwise; it is never wrapped.
struct PendulumState {
  double angle = 0.0, velocity = 0.0;  // rad, rad/s
  double torque = 0.0;                 // the last one, N m: for the picture
};

enum class PendulumTask {
  balance,  // upright and at rest: Gymnasium's
  spin,     // turn clockwise, the faster the better: reward is minus the velocity
};

struct PendulumConfig {
  std::int64_t max_steps = 200;
  double gravity = 10.0;  // m/s^2
  PendulumTask task = PendulumTask::balance;

  void fields(Fields& f) {
    f.field("max_steps", max_steps, "the episode is truncated then; 0 = no limit");
    f.field("gravity", gravity, "m/s^2");
    f.choice("task", task, {{"balance", PendulumTask::balance}, {"spin", PendulumTask::spin}},
             "what earns reward: standing upright, or turning clockwise");
  }
  void validate() const;
};

/// Pendulum-v1 of Gymnasium: swing a rod up and hold it there, with a motor too weak to lift it.
///
///   observation  float32 [3]: cosine and sine of the angle, angular velocity
///   action       float32 [1]: torque, cut to ±2 N m
///   reward       -(angle^2 + 0.1 velocity^2 + 0.001 torque^2), the angle in -pi .. pi, before the step
///   start        angle uniform in ±pi, velocity in ±1; option "state": [angle, velocity] sets them
class PendulumWorld {
 public:
  using Config = PendulumConfig;
  using State = PendulumState;
  using Observed = float;
  static constexpr bool discrete = false, chance = false;

  explicit PendulumWorld(const PendulumConfig& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, const float* action) const;
  void observe(const State& state, float* out) const;
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;

 private:
  PendulumConfig config_;
  Spec spec_;
};

extern template class Single<PendulumWorld>;
extern template class Batch<PendulumWorld>;
using Pendulum = Single<PendulumWorld>;

}  // namespace rlhf::environments
