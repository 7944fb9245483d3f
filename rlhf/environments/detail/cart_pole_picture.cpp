#include "rlhf/environments/detail/cart_pole_picture.h"

#include <cmath>

#include "rlhf/environments/canvas.h"

namespace rlhf::environments {
namespace {

constexpr Color sky = rgb(0xF6F7F9), ground = rgb(0xE9ECF0), rail = rgb(0xB4BCC8), mark = rgb(0xC9D0DA);
constexpr Color cart_body = rgb(0x3D4F6B), cart_light = rgb(0x5A6F91), wheel = rgb(0x2B384D), hub = rgb(0xDDE3EC);
constexpr Color wood = rgb(0xE0A458), wood_light = rgb(0xF0C48A), fallen = rgb(0xD3554C), fallen_light = rgb(0xE98A80);
constexpr double wheel_radius = 0.085, cart_width = 0.7, cart_height = 0.3, pole_width = 0.1;

void draw_track(Canvas& canvas, double half) {
  canvas.box({0, -1.0}, 40.0, 2.0, 0.0, ground);
  canvas.line({-half - 0.35, 0}, {half + 0.35, 0}, 0.035, rail);
  for (int tick = -2; tick <= 2; ++tick) {
    canvas.line({double(tick), -0.12}, {double(tick), tick == 0 ? -0.27 : -0.2}, 0.025, mark);
  }
  for (const double side : {-1.0, 1.0}) {  // the stops stand where the cart's side is at the limit of its centre
    canvas.box({side * (half + 0.4), 0.11}, 0.09, 0.26, 0.03, rail);
  }
}

void draw_cart(Canvas& canvas, double x) {
  const double middle = 2 * wheel_radius + cart_height / 2 - 0.03;
  canvas.glow({x, -0.015}, cart_width * 1.35, 0.17, rgb(0x2B384D, 0.28));
  canvas.box({x, middle}, cart_width, cart_height, 0.06, cart_body);
  canvas.box({x, middle + cart_height / 2 - 0.055}, cart_width - 0.09, 0.035, 0.0175, cart_light);
  for (const double side : {-1.0, 1.0}) {
    const Point axle{x + side * 0.21, wheel_radius + 0.015};
    canvas.disc(axle, wheel_radius, wheel);
    canvas.disc(axle, wheel_radius * 0.38, hub);
  }
}

void draw_pole(Canvas& canvas, Point pivot, double angle, double length, bool fell) {
  const Point along{std::sin(angle), std::cos(angle)};  // clockwise from upright
  const auto on_axis = [&](double share, double aside) {
    return Point{pivot.x + along.x * length * share - along.y * aside,
                 pivot.y + along.y * length * share + along.x * aside};
  };
  canvas.line(pivot, on_axis(1.0, 0.0), pole_width, fell ? fallen : wood);
  canvas.line(on_axis(0.12, 0.02), on_axis(0.98, 0.02), 0.022, fell ? fallen_light : wood_light);
  canvas.disc(pivot, 0.08, wheel);
  canvas.disc(pivot, 0.036, hub);
}

}  // namespace

Image draw_cart_pole(const CartPoleState& state, const CartPoleSizes& sizes, int width, int height) {
  Canvas canvas(width, height, {.left = -2.95, .bottom = -0.95, .right = 2.95, .top = 2.15}, sky);
  draw_track(canvas, sizes.track);
  draw_cart(canvas, state.position);
  const Point pivot{state.position, 2 * wheel_radius + cart_height - 0.06};
  draw_pole(canvas, pivot, state.angle, sizes.pole, failed(state));
  return canvas.take();
}

}  // namespace rlhf::environments
