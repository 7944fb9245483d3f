#pragma once
#include "rlhf/environments/cart_pole.h"

namespace rlhf::environments {

struct CartPoleFixedConfig {
  std::int64_t max_steps = 200;

  void fields(Fields& f) { f.field("max_steps", max_steps, "every episode's length"); }
  void validate() const;
};

/// CartPole whose episodes never end early, so that their length says nothing about how well it went: what learning
/// from preferences has to be tested on. The fallen pole spins on, the cart rolls on beyond its track.
///
///   observation  float32 [5]: position, velocity, cosine and sine of the angle, angular velocity
///   action       0 pushes left, 1 pushes right
///   reward       1 while the cart is within 2.4 m and the pole within 12 degrees, 0 elsewhere
class CartPoleFixedWorld {
 public:
  using Config = CartPoleFixedConfig;
  using State = CartPoleState;
  using Observed = float;
  static constexpr bool discrete = true, chance = false;

  explicit CartPoleFixedWorld(const Config& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const { return same_.start(random); }
  State given(const std::vector<double>& numbers) const { return same_.given(numbers); }
  Outcome advance(State& state, std::int64_t action) const;
  void observe(const State& state, float* out) const;
  bool possible(const State& state) const { return same_.possible(state); }
  Image draw(const State& state, int width, int height) const { return same_.draw(state, width, height); }

 private:
  CartPoleWorld same_;
  Spec spec_;
};

extern template class Single<CartPoleFixedWorld>;
extern template class Batch<CartPoleFixedWorld>;

}  // namespace rlhf::environments
