#pragma once
#include "rlhf/environments/cart_pole.h"

namespace rlhf::environments {

struct CartPoleSizes {
  double track = 2.4;  // half its length, m
  double pole = 1.0;   // m
};

/// Cart, pole and track from the side, in light, neutral colours; the pole is red after a failure.
Image draw_cart_pole(const CartPoleState& state, const CartPoleSizes& sizes, int width, int height);

}  // namespace rlhf::environments
