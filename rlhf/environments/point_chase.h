#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

/// The square reaches from -1 to 1 both ways; headings are rad, counter-clockwise from the x axis.
struct PointChaseState {
  double x = 0.0, y = 0.0;  // of the robot
  double ball_x = 0.0, ball_y = 0.0;
  double heading = 0.0;    // of the ball
  std::int64_t moved = 0;  // the last action: for the picture
};

struct PointChaseConfig {
  std::int64_t max_steps = 900;  // half a minute
  double speed = 1.2;            // of the robot, units/s
  double ball_speed = 0.5;       // units/s
  double wander = 1.5;           // how much the ball turns: standard deviation of its heading after a second, rad

  void fields(Fields& f) {
    f.field("max_steps", max_steps, "the episode is truncated then; 0 = no limit");
    f.field("speed", speed, "of the robot, units a second; the square is 2 wide");
    f.field("ball_speed", ball_speed, "of the ball, units a second; 0 = a target that stays");
    f.field("wander", wander, "standard deviation of the ball's heading after a second, rad; 0 = it rolls straight");
  }
  void validate() const;
};

/// A robot follows a ball that rolls about a square and bounces off its sides, 30 steps a second: a task for people who
/// teach while the agent moves (after the robot that COACH trained, MacGlashan et al. 2017, arXiv:1701.06049).
///
///   observation  float32 [6]: the robot's x and y, the ball's position seen from the robot, the ball's velocity
///   action       0 stay, 1 up, 2 right, 3 down, 4 left; the sides hold the robot
///   reward       1 - distance to the ball after the step, at least 0
///   start        robot, ball and heading anywhere; option "state": [x, y, ball x, ball y, heading] sets them
class PointChaseWorld {
 public:
  using Config = PointChaseConfig;
  using State = PointChaseState;
  using Observed = float;
  static constexpr bool discrete = true, chance = true;

  explicit PointChaseWorld(const PointChaseConfig& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, std::int64_t action, Random& random) const;
  void observe(const State& state, float* out) const;
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;

 private:
  PointChaseConfig config_;
  Spec spec_;
};

extern template class Single<PointChaseWorld>;
extern template class Batch<PointChaseWorld>;
using PointChase = Single<PointChaseWorld>;

}  // namespace rlhf::environments
