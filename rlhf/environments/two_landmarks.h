#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

/// Columns and rows count from the bottom left corner.
struct TwoLandmarksState {
  std::int32_t column = 0, row = 0;
  std::int32_t moved = 0;  // the last action: for the picture

  bool operator==(const TwoLandmarksState&) const = default;
};

enum class Landmark { tree, well };  // top left, bottom right

struct TwoLandmarksConfig {
  std::int64_t max_steps = 20;
  Landmark wanted = Landmark::tree;

  void fields(Fields& f) {
    f.field("max_steps", max_steps, "the episode is truncated then; 0 = no limit");
    f.choice("wanted", wanted, {{"tree", Landmark::tree}, {"well", Landmark::well}},
             "the landmark that earns a reward");
  }
  void validate() const;
};

constexpr std::int32_t landmark_cells = 5;                                // on each side
constexpr std::int32_t landmark_pixels = 8;                               // of a cell's side in a frame
constexpr std::int32_t landmark_side = landmark_cells * landmark_pixels;  // of a frame

/// A field of 5 x 5 cells with a tree in one corner and a well in the opposite one, seen from above as a picture: which
/// of them somebody wants the agent to go to cannot be seen, and may change (after the goals that Deep COACH was taught
/// in Minecraft, Arumugam et al. 2019, arXiv:1902.04257).
///
///   observation  uint8 [1, 40, 40] grey
///   action       0 up, 1 right, 2 down, 3 left; a step against the fence changes nothing
///   reward       1 at the landmark that is wanted, else 0; either ends the episode
///   start        in any cell without a landmark; option "state": [column, row] sets it
class TwoLandmarksWorld {
 public:
  using Config = TwoLandmarksConfig;
  using State = TwoLandmarksState;
  using Observed = std::uint8_t;
  static constexpr bool discrete = true, chance = false;

  explicit TwoLandmarksWorld(const Config& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, std::int64_t action) const;
  void observe(const State& state, std::uint8_t* out) const;
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;

 private:
  TwoLandmarksConfig config_;
  Spec spec_;
};

extern template class Single<TwoLandmarksWorld>;
extern template class Batch<TwoLandmarksWorld>;
using TwoLandmarks = Single<TwoLandmarksWorld>;

/// Steps from there to the landmark.
std::int32_t steps_to(const TwoLandmarksState& state, Landmark landmark);

}  // namespace rlhf::environments
