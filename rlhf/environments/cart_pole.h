#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/environment.h"

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
class CartPole : public Environment {
 public:
  explicit CartPole(const CartPoleConfig& config = {});

  const Spec& spec() const override { return spec_; }
  using Environment::reset;
  Start reset(std::uint64_t seed, const nlohmann::json& options) override;
  Step step(const Action& action) override;
  std::string state() const override;
  void set_state(std::string_view bytes) override;
  Image render(int width, int height) const override;

  const CartPoleState& physics() const { return now_.physics; }

 private:
  struct Moment {
    CartPoleState physics;
    std::int64_t steps = 0;
    std::int64_t running = 0;  // 1 between a reset and the end of the episode
  };
  Array observation() const;

  CartPoleConfig config_;
  Spec spec_;
  Moment now_;
};

}  // namespace rlhf::environments
