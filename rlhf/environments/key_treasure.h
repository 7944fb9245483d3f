#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

enum class KeyTreasureView {
  planes,  // one 9 x 9 plane for each kind of thing
  pixels,  // 36 x 36 grey, the picture before and the one now
};

struct KeyTreasureConfig {
  std::int64_t steps = 60;  // of a round
  bool continuing = false;  // a round that is over is followed by another, and nothing tells
  KeyTreasureView view = KeyTreasureView::planes;

  void fields(Fields& f) {
    f.field("steps", steps, "a round lasts at most this long");
    f.field("continuing", continuing, "one endless episode: the next round begins by itself, and nothing tells");
    f.choice("view", view, {{"planes", KeyTreasureView::planes}, {"pixels", KeyTreasureView::pixels}},
             "what is seen: a 9 x 9 plane for each kind of thing, or two grey pictures of 36 x 36");
  }
  void validate() const;
};

/// What the picture shows.
struct KeyTreasureScene {
  enum Key : std::int32_t { lies, carried, used };
  enum Event : std::int32_t { nothing, key_taken, door_opened, treasure_taken, lever_pressed };
  std::int32_t column = 0, row = 0;     // of the explorer; (0, 0) is the bottom left cell
  std::int32_t key = lies;              // once it is used, the door is open
  std::int32_t treasure = 1;            // 0 = taken
  std::int32_t event = Event::nothing;  // what the last step brought about: something lights up

  bool operator==(const KeyTreasureScene&) const = default;
};

struct KeyTreasureState {
  KeyTreasureScene now, before;
  std::int32_t steps = 0;  // of this round
  std::int32_t over = 0;   // 1 when the next step begins another round, whatever the action

  bool operator==(const KeyTreasureState&) const = default;
};

enum class KeyTreasureCell { free, wall, door, key, treasure, lever, lava };
constexpr std::int32_t key_treasure_side = 9;

/// What lies at a cell of the map, which never changes.
KeyTreasureCell key_treasure_cell(std::int32_t column, std::int32_t row);

/// A key, a door and a treasure behind it, on a map of 9 x 9 that chance hardly ever finds a way through: the scaled
/// down sort of game that demonstrations are for (after Ibarz et al. 2018, arXiv:1811.06521).
///
///   observation  planes: uint8 [6, 9, 9], 0 or 255: explorer, key (on its cell, or on the explorer's when carried),
///                walls and the closed door, treasure, lava, light; pixels: uint8 [2, 36, 36], before and now
///   action       0 up, 1 right, 2 down, 3 left; a step against a wall or the closed door changes nothing
///   reward       1 for the key, 1 for opening the door (by walking into it with the key), 5 for the treasure, -1 for
///                each step that ends in lava
///   start        any free cell on the near side of the door; option "state": [column, row] sets it
///
/// What was taken or opened lights up for one step. A lever in a corner lights the door, too, as often as it is
/// stepped on, and opens nothing: whoever judges by the light alone is fooled.
///
/// A round ends with the treasure or after `steps`. In a continuing world the step after that begins another one: it
/// ignores the action, earns nothing, and looks like any other.
class KeyTreasureWorld {
 public:
  using Config = KeyTreasureConfig;
  using State = KeyTreasureState;
  using Observed = std::uint8_t;
  static constexpr bool discrete = true, chance = true;

  explicit KeyTreasureWorld(const Config& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, std::int64_t action, Random& random) const;
  void observe(const State& state, std::uint8_t* out) const;
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;

 private:
  KeyTreasureConfig config_;
  Spec spec_;
};

extern template class Single<KeyTreasureWorld>;
extern template class Batch<KeyTreasureWorld>;
using KeyTreasure = Single<KeyTreasureWorld>;

/// The shortest way on to key, door or treasure, round the lava.
std::int64_t way_to_treasure(const KeyTreasureScene& scene);

/// One round played by somebody who knows the way, from a cell of the lower half of the near side, which the seed
/// draws; a share of the actions is any. It ends with the treasure, or with the round's time. Its spec is that of the
/// world it was played in, so that it may be shown to an agent there.
data::Trajectory demonstrate(const KeyTreasureConfig& config, std::uint64_t seed, double random_share);

}  // namespace rlhf::environments
