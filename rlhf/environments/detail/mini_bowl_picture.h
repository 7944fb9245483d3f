#pragma once
#include "rlhf/environments/mini_bowl.h"

namespace rlhf::environments::detail {

/// Where pin i of the rack stands: rows beside the head pin, and how far behind it.
struct PinPlace {
  std::int32_t beside, behind;
};
PinPlace place_of_pin(std::int32_t pin);

/// The frame that the agent sees, mini_bowl_side squared pixels from the top left.
void draw_grey(const MiniBowlScene& scene, std::uint8_t* out);

/// The same for people.
Image draw_mini_bowl(const MiniBowlState& state, int width, int height);

}  // namespace rlhf::environments::detail
