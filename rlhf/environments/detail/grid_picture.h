#pragma once
#include "rlhf/environments/image.h"

namespace rlhf::environments {

struct GridScene {
  int columns = 8, rows = 5;
  int column = 0, row = 0;  // the dog's cell
  int facing = 1;           // 0 up, 1 right, 2 down, 3 left
};

/// The lawn from above, with its puddles, the bowl and the dog.
Image draw_grid(const GridScene& scene, int width, int height);

}  // namespace rlhf::environments
