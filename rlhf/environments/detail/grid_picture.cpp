#include "rlhf/environments/detail/grid_picture.h"

#include <array>

#include "rlhf/environments/canvas.h"

namespace rlhf::environments {
namespace {

constexpr Color fence = rgb(0xF3EFE6), lawn = rgb(0xDCE8CF), lawn_other = rgb(0xD4E2C5);
constexpr Color water = rgb(0x9CC5DE), water_light = rgb(0xC3DFEE), bowl = rgb(0xC65D4F), bowl_inside = rgb(0x8F3F35);
constexpr Color food = rgb(0xE9C28B), coat = rgb(0xB9814B), coat_dark = rgb(0x8A5A31), muzzle = rgb(0xEBCFA8);
constexpr Color dark = rgb(0x33271C), collar = rgb(0x3F78A8);

void draw_puddle(Canvas& canvas, Point c) {
  canvas.disc({c.x - 0.12, c.y + 0.02}, 0.22, water);
  canvas.disc({c.x + 0.14, c.y - 0.05}, 0.2, water);
  canvas.disc({c.x + 0.06, c.y + 0.14}, 0.15, water);
  canvas.line({c.x - 0.2, c.y + 0.08}, {c.x - 0.08, c.y + 0.12}, 0.035, water_light);
  canvas.line({c.x + 0.08, c.y - 0.02}, {c.x + 0.18, c.y - 0.0}, 0.03, water_light);
}

void draw_bowl(Canvas& canvas, Point c) {
  canvas.glow({c.x, c.y - 0.04}, 0.95, 0.9, rgb(0x40513A, 0.3));
  canvas.disc(c, 0.34, bowl);
  canvas.disc(c, 0.25, bowl_inside);
  constexpr std::array<Point, 7> pieces = {
      {{0, 0}, {0.11, 0.03}, {-0.1, 0.05}, {0.04, 0.12}, {-0.05, -0.11}, {0.08, -0.1}, {-0.13, -0.05}}};
  for (const auto& piece : pieces) canvas.disc({c.x + piece.x, c.y + piece.y}, 0.062, food);
}

/// Seen from above; `place` turns points of a dog that looks to the right.
template <class Place>
void draw_dog(Canvas& canvas, Point c, const Place& place) {
  canvas.glow({c.x, c.y - 0.05}, 1.0, 0.85, rgb(0x40513A, 0.25));
  canvas.line(place(-0.24, 0), place(-0.4, 0.07), 0.07, coat_dark);  // tail
  for (const double side : {-1.0, 1.0}) {
    canvas.disc(place(-0.19, side * 0.15), 0.07, coat_dark);  // paws
    canvas.disc(place(0.08, side * 0.15), 0.07, coat_dark);
  }
  canvas.line(place(-0.17, 0), place(0.06, 0), 0.3, coat);
  canvas.line(place(0.13, -0.1), place(0.13, 0.1), 0.06, collar);
  canvas.disc(place(0.22, 0), 0.16, coat);
  canvas.line(place(0.3, 0), place(0.36, 0), 0.15, muzzle);
  canvas.disc(place(0.425, 0), 0.04, dark);  // nose
  for (const double side : {-1.0, 1.0}) {
    canvas.line(place(0.2, side * 0.14), place(0.11, side * 0.19), 0.1, coat_dark);  // ears
    canvas.disc(place(0.27, side * 0.075), 0.027, dark);
  }
}

}  // namespace

Image draw_grid(const GridScene& scene, int width, int height) {
  const double margin = 0.25;
  Canvas canvas(width, height,
                {.left = -margin, .bottom = -margin, .right = scene.columns + margin, .top = scene.rows + margin},
                fence);
  canvas.box({scene.columns / 2.0, scene.rows / 2.0}, scene.columns + 0.16, scene.rows + 0.16, 0.14, rgb(0xC9B899));
  canvas.box({scene.columns / 2.0, scene.rows / 2.0}, scene.columns, scene.rows, 0.08, lawn);
  for (int row = 0; row < scene.rows; ++row) {
    for (int column = 0; column < scene.columns; ++column) {
      if ((row + column) % 2 == 0) canvas.box({column + 0.5, row + 0.5}, 1.0, 1.0, 0.08, lawn_other);
    }
  }
  for (int column = 1; column + 1 < scene.columns; ++column) draw_puddle(canvas, {column + 0.5, 0.5});
  draw_bowl(canvas, {scene.columns - 0.5, 0.5});
  const Point dog{scene.column + 0.5, scene.row + 0.5};
  draw_dog(canvas, dog, [&](double forward, double left) {
    switch (scene.facing) {
      case 0:
        return Point{dog.x - left, dog.y + forward};
      case 1:
        return Point{dog.x + forward, dog.y + left};
      case 2:
        return Point{dog.x + left, dog.y - forward};
      default:
        return Point{dog.x - forward, dog.y - left};
    }
  });
  return canvas.take();
}

}  // namespace rlhf::environments
