#pragma once
#include "rlhf/environments/key_treasure.h"

namespace rlhf::environments::detail {

constexpr int pixels = 36;  // of a side of the grey picture: 4 a cell

/// Does the door light up, rather than the cell the explorer is on?
inline bool lit_by_door(const KeyTreasureScene& scene) {
  return scene.event == KeyTreasureScene::door_opened || scene.event == KeyTreasureScene::lever_pressed;
}

/// 36 x 36 grey values, from the top row down: what an agent sees of a scene.
void draw_grey(const KeyTreasureScene& scene, std::uint8_t* out);

/// What people see of it.
Image draw_key_treasure(const KeyTreasureScene& scene, int width, int height);

}  // namespace rlhf::environments::detail
