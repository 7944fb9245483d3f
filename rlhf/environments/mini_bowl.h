#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

struct MiniBowlConfig {
  std::int64_t max_steps = 600;  // of a game; one that is aimed well takes about 250

  void fields(Fields& f) { f.field("max_steps", max_steps, "the game is cut off then; 0 = no limit"); }
  void validate() const;
};

/// What the picture shows.
struct MiniBowlScene {
  std::int32_t aim = 0;      // row of the ball, 0 .. 17 from the bottom
  std::int32_t rolled = 0;   // steps that the ball has rolled; 0 = in the hand
  std::int32_t rack = 0;     // row of the head pin
  std::int32_t pins = 1023;  // bit i: pin i stands

  bool operator==(const MiniBowlScene&) const = default;
};

struct MiniBowlState {
  MiniBowlScene now, before;
  std::int32_t frame = 0, thrown = 0;  // frames that are over; balls thrown in this one
  std::int32_t score = 0;              // pins of the game

  bool operator==(const MiniBowlState&) const = default;
};

constexpr std::int32_t mini_bowl_side = 40;  // pixels of a frame
constexpr std::int32_t mini_bowl_rows = 18;  // of the lane
constexpr std::int32_t mini_bowl_roll = 15;  // steps from the hand to the pins

enum MiniBowlAction : std::int64_t { bowl_nothing, bowl_throw, bowl_aim_up, bowl_aim_down };

/// A bowling alley of 40 x 40 pixels, a small stand-in for Atari's Bowling, on which Deep TAMER was shown (Warnell et
/// al. 2018, arXiv:1709.10163): what a throw was worth shows 15 steps later.
///
///   observation  uint8 [2, 40, 40] grey: the frame before and the one now
///   action       0 nothing, 1 throw, 2 aim up, 3 aim down, a row at a time; all are nothing while the ball rolls
///   reward       the pins that fell, when the ball arrives
///   start        the ball lies at any row, anew after each throw; the rack stands at any row that leaves it whole,
///                anew each frame; option "state": [aim, rack] sets both of the first
///
/// A game has 10 frames of 2 throws, or one where all pins fell, and scores their sum: 0 to 100. Dead on the head pin
/// all that stands falls; a row beside it the ball still takes its neighbours along; further out it takes only what
/// stands in its way.
class MiniBowlWorld {
 public:
  using Config = MiniBowlConfig;
  using State = MiniBowlState;
  using Observed = std::uint8_t;
  static constexpr bool discrete = true, chance = true;

  explicit MiniBowlWorld(const Config& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, std::int64_t action, Random& random) const;
  void observe(const State& state, std::uint8_t* out) const;
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;

 private:
  Spec spec_;
};

extern template class Single<MiniBowlWorld>;
extern template class Batch<MiniBowlWorld>;
using MiniBowl = Single<MiniBowlWorld>;

/// Which pins, as bits, a ball at this row leaves standing.
std::int32_t pins_after(const MiniBowlScene& scene);

/// How many pins a ball at this row fells.
int pins_felled(const MiniBowlScene& scene);

/// The row at which a ball fells the most of what stands; the nearest of equals.
std::int32_t best_aim(const MiniBowlScene& scene);

/// Aims at best_aim, and throws there.
std::int64_t bowl_well(const MiniBowlScene& scene);

}  // namespace rlhf::environments
