#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

struct MountainCarState {
  double position = 0.0, velocity = 0.0;
};

struct MountainCarConfig {
  std::int64_t max_steps = 200;

  void fields(Fields& f) { f.field("max_steps", max_steps, "the episode is truncated then; 0 = no limit"); }
  void validate() const;
};

struct MountainCarContinuousConfig : MountainCarConfig {
  MountainCarContinuousConfig() { max_steps = 999; }
};

/// What both cars share: the hill, the start and the picture.
class Hill {
 public:
  using State = MountainCarState;
  using Observed = float;
  static constexpr bool chance = false;

  explicit Hill(Spec spec) : spec_(std::move(spec)) {}
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  void observe(const State& state, float* out) const;
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;

 protected:
  static void roll(State& state, double push);

 private:
  Spec spec_;
};

/// MountainCar-v0 of Gymnasium: leave a valley whose walls are too steep for the motor, by swinging (Moore 1990).
///
///   observation  float32 [2]: position, velocity
///   action       0 pushes left, 1 does nothing, 2 pushes right
///   reward       -1 a step, until position 0.5 is reached
///   start        position uniform in -0.6 .. -0.4, at rest; option "state": [position, velocity] sets them
class MountainCarWorld : public Hill {
 public:
  using Config = MountainCarConfig;
  static constexpr bool discrete = true;
  explicit MountainCarWorld(const Config& config);
  Outcome advance(State& state, std::int64_t action) const;
};

/// MountainCarContinuous-v0 of Gymnasium.
///
///   action       float32 [1]: push, cut to ±1
///   reward       100 on reaching position 0.45, less 0.1 action^2 at every step (the action before it is cut)
///
/// Calculated in float32, as Gymnasium's is (from its first step on; here from the start).
class MountainCarContinuousWorld : public Hill {
 public:
  using Config = MountainCarContinuousConfig;
  static constexpr bool discrete = false;
  explicit MountainCarContinuousWorld(const Config& config);
  State start(Random& random) const;
  Outcome advance(State& state, const float* action) const;
};

extern template class Single<MountainCarWorld>;
extern template class Batch<MountainCarWorld>;
extern template class Single<MountainCarContinuousWorld>;
extern template class Batch<MountainCarContinuousWorld>;
using MountainCar = Single<MountainCarWorld>;
using MountainCarContinuous = Single<MountainCarContinuousWorld>;

}  // namespace rlhf::environments
