#include "rlhf/environments/detail/taxi_map.h"

#include "rlhf/environments/canvas.h"

namespace rlhf::environments::detail {
namespace {

constexpr double side = taxi_side;

Point center(std::int64_t row, std::int64_t column) {
  return {static_cast<double>(column) + 0.5, side - 0.5 - static_cast<double>(row)};
}

void draw_person(Canvas& canvas, Point c) {
  canvas.box({c.x, c.y - 0.1}, 0.22, 0.26, 0.09, rgb(0x7A5BA8));
  canvas.disc({c.x, c.y + 0.1}, 0.1, rgb(0xF0CFA5));
}

void draw_car(Canvas& canvas, Point c, std::int64_t facing, bool taken) {
  const bool along_x = facing >= 2;
  const double front = facing == 1 || facing == 2 ? 1 : -1;
  const double length = 0.66, width = 0.4;
  const auto place = [&](double forward, double aside) {
    return along_x ? Point{c.x + front * forward, c.y + aside} : Point{c.x + aside, c.y + front * forward};
  };
  const auto box = [&](Point at, double long_side, double short_side, double round, Color color) {
    canvas.box(at, along_x ? long_side : short_side, along_x ? short_side : long_side, round, color);
  };
  canvas.glow({c.x, c.y - 0.05}, 1.0, 0.8, rgb(0x33271C, 0.3));
  box(c, length, width, 0.1, rgb(0xF2C230));
  box(place(0.1, 0), 0.12, width - 0.08, 0.03, rgb(0x5B6B80));
  box(place(-0.2, 0), 0.1, width - 0.1, 0.03, rgb(0x5B6B80));
  box(place(-0.05, 0), 0.12, 0.2, 0.03, taken ? rgb(0x7A5BA8) : rgb(0xFFF8E0));  // the lamp on its roof
  for (const double aside : {-0.14, 0.14}) canvas.disc(place(0.3, aside), 0.04, rgb(0xFFF8E0));
}

}  // namespace

Image draw_taxi(const TaxiScene& scene, std::int64_t facing, int width, int height) {
  constexpr double margin = 0.3;
  Canvas canvas(width, height, {.left = -margin, .bottom = -margin, .right = side + margin, .top = side + margin},
                rgb(0xF6F7F9));
  canvas.box({side / 2, side / 2}, side + 0.2, side + 0.2, 0.1, rgb(0x8F95A3));
  canvas.box({side / 2, side / 2}, side, side, 0.04, rgb(0xDADDE4));
  for (std::int64_t i = 1; i < taxi_side; ++i) {
    const double at = static_cast<double>(i);
    canvas.line({at, 0.1}, {at, side - 0.1}, 0.015, rgb(0xC4C9D3));
    canvas.line({0.1, at}, {side - 0.1, at}, 0.015, rgb(0xC4C9D3));
  }
  for (const auto& stand : taxi_stands)
    canvas.box(center(stand.row, stand.column), 0.8, 0.8, 0.1, rgb(stand.color, 0.5));
  const auto& goal = taxi_stands[static_cast<std::size_t>(scene.destination)];
  canvas.ring(center(goal.row, goal.column), 0.34, 0.07, rgb(goal.color));
  for (std::int64_t row = 0; row < taxi_side; ++row)
    for (std::int64_t column = 0; column + 1 < taxi_side; ++column)
      if (taxi_wall_east(row, column)) {
        const auto c = center(row, column);
        canvas.line({c.x + 0.5, c.y - 0.45}, {c.x + 0.5, c.y + 0.45}, 0.1, rgb(0x5A6070));
      }
  draw_car(canvas, center(scene.row, scene.column), facing, scene.passenger == taxi_seat);
  if (scene.passenger != taxi_seat) {
    const auto& stand = taxi_stands[static_cast<std::size_t>(scene.passenger)];
    draw_person(canvas, center(stand.row, stand.column));
  }
  return canvas.take();
}

}  // namespace rlhf::environments::detail
