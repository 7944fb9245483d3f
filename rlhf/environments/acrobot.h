#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

/// The first angle is zero hanging down, the second is the bend of the lower rod against the upper one.
struct AcrobotState {
  double first = 0.0, second = 0.0;                    // rad
  double first_velocity = 0.0, second_velocity = 0.0;  // rad/s
};

struct AcrobotConfig {
  std::int64_t max_steps = 500;

  void fields(Fields& f) { f.field("max_steps", max_steps, "the episode is truncated then; 0 = no limit"); }
  void validate() const;
};

/// Acrobot-v1 of Gymnasium: two rods on a hinge, a motor in the joint between them; lift the tip above the line (Sutton
/// 1996, with the equations of Sutton and Barto's book).
///
///   observation  float32 [6]: cosine and sine of both angles, both velocities
///   action       0, 1, 2: torque -1, 0, 1 N m
///   reward       -1 a step, 0 on arriving
///   start        all four uniform in ±0.1, rounded to float32; option "state": [4 numbers] sets them
class AcrobotWorld {
 public:
  using Config = AcrobotConfig;
  using State = AcrobotState;
  using Observed = float;
  static constexpr bool discrete = true, chance = false;

  explicit AcrobotWorld(const AcrobotConfig& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, std::int64_t action) const;
  void observe(const State& state, float* out) const;
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;

 private:
  Spec spec_;
};

extern template class Single<AcrobotWorld>;
extern template class Batch<AcrobotWorld>;
using Acrobot = Single<AcrobotWorld>;

}  // namespace rlhf::environments
