#pragma once
#include <vector>

#include "rlhf/environments/detail/mujoco_robots.h"
#include "rlhf/environments/image.h"

namespace rlhf::environments::detail {

/// The shapes as the camera sees them, without perspective: near ones over far ones, each with an edge and a light
/// side, their shadows on a chequered ground whose squares are half a metre wide (10 cm for small robots).
Image draw_mujoco(std::vector<MujocoShape> shapes, const MujocoCamera& camera, int width, int height);

}  // namespace rlhf::environments::detail
