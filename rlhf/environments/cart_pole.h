#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

/// SI units; the angle is zero upright and grows clockwise.
struct CartPoleState {
  double position = 0.0, velocity = 0.0;       // m, m/s
  double angle = 0.0, angular_velocity = 0.0;  // rad, rad/s

  bool operator==(const CartPoleState&) const = default;
};

/// The state 0.02 s after pushing the cart with 10 N to the left (false) or right (true): explicit Euler on the
/// equations of Barto, Sutton and Anderson (1983) as corrected by Florian (2007), the numbers of Gymnasium's CartPole.
CartPoleState advance(const CartPoleState& state, bool push_right);

/// Has the pole fallen (12 degrees) or the cart left the track (2.4 m)?
bool failed(const CartPoleState& state);

struct CartPoleConfig {
  std::int64_t max_steps = 500;      // v1; v0 had 200
  bool sutton_barto_reward = false;  // 0 a step and -1 on failure, instead of 1 a step

  void fields(Fields& f) {
    f.field("max_steps", max_steps, "the episode is truncated then; 500 in CartPole-v1, 200 in v0");
    f.field("sutton_barto_reward", sutton_barto_reward, "0 a step and -1 on failure, instead of 1 a step");
  }
  void validate() const;
};

/// CartPole-v1 of Gymnasium: balance a pole on a cart.
///
///   observation  float32 [4]: position, velocity, angle, angular velocity
///   action       0 pushes left, 1 pushes right
///   reward       1 a step, the failing one included
///   start        all four uniform in ±0.05; option "state": [4 numbers] sets them
///
/// Differs from Gymnasium: its resets draw from NumPy's generator, ours from rlhf::Random, so that equal seeds start
/// elsewhere. The picture is our own. After a failure it shows the pole in red.
class CartPoleWorld {
 public:
  using Config = CartPoleConfig;
  using State = CartPoleState;
  using Observed = float;
  static constexpr bool discrete = true, chance = false;

  explicit CartPoleWorld(const CartPoleConfig& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, std::int64_t action) const;
  void observe(const State& state, float* out) const;
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;

 private:
  CartPoleConfig config_;
  Spec spec_;
};

extern template class Single<CartPoleWorld>;
extern template class Batch<CartPoleWorld>;
using CartPole = Single<CartPoleWorld>;

}  // namespace rlhf::environments
