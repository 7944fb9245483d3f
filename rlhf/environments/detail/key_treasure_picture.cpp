#include "rlhf/environments/detail/key_treasure_picture.h"

#include "rlhf/environments/canvas.h"

namespace rlhf::environments::detail {
namespace {

using Scene = KeyTreasureScene;
using Cell = KeyTreasureCell;

constexpr std::int32_t side = key_treasure_side;
constexpr Color ground = rgb(0xEFE9DC), ground_other = rgb(0xE8E1D1), stone = rgb(0x7A7F8C), mortar = rgb(0x8F95A3);
constexpr Color wood = rgb(0x8A5A31), iron = rgb(0x3A3F4B), gold = rgb(0xE0A92E), fire = rgb(0xD9512C);
constexpr Color ember = rgb(0xF3A24B), coat = rgb(0x3D6FB4), skin = rgb(0xF0CFA5), light = rgb(0xFFF3A0, 0.8);

/// A cell as the agent sees it: its ground, and the four pixels in its middle.
struct Grey {
  std::uint8_t rim = 40, middle = 40;
};

Grey grey_of(const Scene& scene, std::int32_t column, std::int32_t row) {
  Grey grey;
  switch (key_treasure_cell(column, row)) {
    case Cell::wall:
      grey = {110, 110};
      break;
    case Cell::door:
      if (scene.key != Scene::used) grey = {110, 160};
      if (lit_by_door(scene)) grey = {230, 230};
      break;
    case Cell::key:
      if (scene.key == Scene::lies) grey = {40, 190};
      break;
    case Cell::treasure:
      if (scene.treasure) grey = {60, 220};
      break;
    case Cell::lever:
      grey = {40, 90};
      break;
    case Cell::lava:
      grey = {80, 60};
      break;
    default:
      break;
  }
  if (scene.column != column || scene.row != row) return grey;
  if (scene.event != Scene::nothing && !lit_by_door(scene)) grey.rim = 230;
  grey.middle = scene.key == Scene::carried ? 205 : 255;
  return grey;
}

void draw_cell(Canvas& canvas, Cell cell, Point c, const Scene& scene) {
  switch (cell) {
    case Cell::wall:
      canvas.box(c, 1.0, 1.0, 0.04, stone);
      canvas.box({c.x - 0.22, c.y + 0.24}, 0.5, 0.4, 0.06, mortar);
      canvas.box({c.x + 0.2, c.y - 0.24}, 0.54, 0.4, 0.06, mortar);
      break;
    case Cell::door:
      if (lit_by_door(scene)) canvas.glow(c, 1.7, 1.7, light);
      if (scene.key != Scene::used) {
        canvas.box(c, 0.9, 1.0, 0.05, wood);
        canvas.disc({c.x + 0.22, c.y}, 0.09, iron);
      } else {
        canvas.box({c.x, c.y + 0.44}, 0.9, 0.1, 0.03, wood);
      }
      break;
    case Cell::treasure:
      if (!scene.treasure) break;
      canvas.box(c, 0.72, 0.5, 0.08, wood);
      canvas.box({c.x, c.y + 0.12}, 0.72, 0.14, 0.05, gold);
      canvas.disc(c, 0.08, gold);
      break;
    case Cell::lever:
      canvas.box({c.x, c.y - 0.22}, 0.6, 0.2, 0.06, iron);
      canvas.line({c.x, c.y - 0.2}, {c.x + (scene.event == Scene::lever_pressed ? 0.25 : -0.25), c.y + 0.25}, 0.1,
                  iron);
      break;
    case Cell::lava:
      canvas.box(c, 0.96, 0.96, 0.12, fire);
      canvas.line({c.x - 0.3, c.y + 0.1}, {c.x + 0.05, c.y + 0.2}, 0.09, ember);
      canvas.line({c.x - 0.05, c.y - 0.2}, {c.x + 0.3, c.y - 0.12}, 0.09, ember);
      break;
    default:
      break;
  }
}

void draw_key(Canvas& canvas, Point c) {
  canvas.ring({c.x - 0.16, c.y}, 0.13, 0.08, gold);
  canvas.line({c.x - 0.03, c.y}, {c.x + 0.3, c.y}, 0.08, gold);
  canvas.line({c.x + 0.26, c.y}, {c.x + 0.26, c.y - 0.13}, 0.07, gold);
}

}  // namespace

void draw_grey(const KeyTreasureScene& scene, std::uint8_t* out) {
  constexpr int cell = pixels / side;
  for (std::int32_t row = 0; row < side; ++row)
    for (std::int32_t column = 0; column < side; ++column) {
      const auto grey = grey_of(scene, column, row);
      for (int y = 0; y < cell; ++y)
        for (int x = 0; x < cell; ++x) {
          const bool inside = x > 0 && y > 0 && x + 1 < cell && y + 1 < cell;
          out[((side - 1 - row) * cell + y) * pixels + column * cell + x] = inside ? grey.middle : grey.rim;
        }
    }
}

Image draw_key_treasure(const KeyTreasureScene& scene, int width, int height) {
  constexpr double margin = 0.2;
  Canvas canvas(width, height, {.left = -margin, .bottom = -margin, .right = side + margin, .top = side + margin},
                rgb(0xF6F7F9));
  for (std::int32_t row = 0; row < side; ++row)
    for (std::int32_t column = 0; column < side; ++column) {
      const Point center{column + 0.5, row + 0.5};
      canvas.box(center, 1.0, 1.0, 0.02, (row + column) % 2 == 0 ? ground : ground_other);
      const auto cell = key_treasure_cell(column, row);
      draw_cell(canvas, cell, center, scene);
      if (cell == Cell::key && scene.key == Scene::lies) draw_key(canvas, center);
    }
  const Point here{scene.column + 0.5, scene.row + 0.5};
  if (scene.event != Scene::nothing && !lit_by_door(scene)) canvas.glow(here, 1.7, 1.7, light);
  canvas.disc({here.x, here.y - 0.1}, 0.29, coat);
  canvas.disc({here.x, here.y + 0.2}, 0.18, skin);
  if (scene.key == Scene::carried) draw_key(canvas, {here.x + 0.18, here.y - 0.16});
  return canvas.take();
}

}  // namespace rlhf::environments::detail
