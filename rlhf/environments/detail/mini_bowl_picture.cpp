#include "rlhf/environments/detail/mini_bowl_picture.h"

#include <algorithm>

#include "rlhf/environments/canvas.h"

namespace rlhf::environments::detail {
namespace {

constexpr std::int32_t side = mini_bowl_side, rows = mini_bowl_rows;
constexpr std::int32_t hand_column = 2, head_column = 32, border = 2;  // pixels
constexpr std::uint8_t gutter = 0, lane = 40, line_of_aim = 110, ball = 255, pin = 200;
constexpr PinPlace places[10] = {{0, 0}, {-1, 1}, {1, 1}, {-2, 2}, {0, 2}, {2, 2}, {-3, 3}, {-1, 3}, {1, 3}, {3, 3}};

/// Columns of the ball's left edge: two pixels a step.
std::int32_t ball_column(const MiniBowlScene& scene) {
  return hand_column + (head_column - hand_column) * scene.rolled / mini_bowl_roll;
}

void fill(std::uint8_t* out, std::int32_t left, std::int32_t width, std::int32_t row, std::uint8_t grey) {
  const auto top = side - border - 2 * (row + 1);
  for (std::int32_t y = top; y < top + 2; ++y)
    for (std::int32_t x = std::max(left, 0); x < std::min(left + width, side); ++x) out[y * side + x] = grey;
}

// The picture for people: one unit is one row of the lane.
constexpr double foul_line = 2.0, head_at = 16.5, pin_gap = 1.1;
constexpr Color wood = rgb(0xE9CFA3), board = rgb(0xDDBE8C), dark = rgb(0x3B4252), ink = rgb(0x2B384D);

void draw_pin(Canvas& canvas, Point at) {
  canvas.glow({at.x + 0.1, at.y - 0.12}, 1.1, 0.9, rgb(0x6B5636, 0.5));
  canvas.disc(at, 0.43, rgb(0xFFFFFF));
  canvas.ring(at, 0.28, 0.11, rgb(0xC8414B));
}

void draw_lane(Canvas& canvas) {
  canvas.box({10, 9}, 22.4, 18.6, 0.3, dark);
  canvas.box({10, 9}, 22.0, 18.0, 0.1, wood);
  for (std::int32_t row = 1; row < rows; ++row) canvas.line({-1, double(row)}, {21, double(row)}, 0.03, board);
  canvas.line({foul_line, 0}, {foul_line, 18}, 0.12, rgb(0x8A6B42));
  for (const double y : {5.0, 9.0, 13.0}) {
    const Point arrow[] = {{6, y - 0.35}, {7, y}, {6, y + 0.35}};
    canvas.polygon(arrow, board);
  }
}

/// One box a frame: filled when over, framed while it runs; one mark for each ball thrown in it.
void draw_frames(Canvas& canvas, const MiniBowlState& state) {
  for (std::int32_t frame = 0; frame < 10; ++frame) {
    const Point at{0.3 + 2.155 * frame, 19.6};
    const bool over = frame < state.frame, now = frame == state.frame;
    canvas.box(at, 1.9, 0.9, 0.2, over ? rgb(0x7FA6C9) : rgb(0xDDE3EC));
    if (now && state.thrown) canvas.disc(at, 0.28, rgb(0x3D6FB4));
    if (now) canvas.line({at.x - 0.8, at.y - 0.62}, {at.x + 0.8, at.y - 0.62}, 0.12, rgb(0x3D6FB4));
  }
  // The score is a bar as long as the pins of the game.
  canvas.box({10, -1.1}, 22, 0.5, 0.2, rgb(0xDDE3EC));
  if (state.score) canvas.box({-1 + 0.11 * state.score, -1.1}, 0.22 * state.score, 0.5, 0.2, rgb(0x87A878));
}

}  // namespace

PinPlace place_of_pin(std::int32_t pin) { return places[pin]; }

void draw_grey(const MiniBowlScene& scene, std::uint8_t* out) {
  std::fill(out, out + side * side, gutter);
  for (std::int32_t row = 0; row < rows; ++row) fill(out, 0, side, row, lane);
  if (scene.rolled == 0) fill(out, 0, head_column - 2, scene.aim, line_of_aim);
  for (std::int32_t i = 0; i < 10; ++i)
    if (scene.pins >> i & 1) fill(out, head_column + 2 * places[i].behind, 2, scene.rack + places[i].beside, pin);
  fill(out, ball_column(scene) - 1, 4, scene.aim, ball);
}

Image draw_mini_bowl(const MiniBowlState& state, int width, int height) {
  const auto& scene = state.now;
  Canvas canvas(width, height, {.left = -1.6, .bottom = -1.8, .right = 21.6, .top = 20.4}, rgb(0xF6F7F9));
  draw_lane(canvas);
  draw_frames(canvas, state);
  const double along = foul_line - 1 + (head_at - foul_line + 1) * scene.rolled / mini_bowl_roll;
  const Point at{along, scene.aim + 0.5};
  if (scene.rolled == 0)
    for (double x = 2.4; x < head_at - 1; x += 1.2) canvas.line({x, at.y}, {x + 0.5, at.y}, 0.14, rgb(0x3D6FB4, 0.6));
  for (std::int32_t i = 0; i < 10; ++i)
    if (scene.pins >> i & 1)
      draw_pin(canvas, {head_at + pin_gap * places[i].behind, scene.rack + places[i].beside + 0.5});
  canvas.glow({at.x + 0.15, at.y - 0.2}, 1.9, 1.6, rgb(0x6B5636, 0.6));
  canvas.disc(at, 0.72, ink);
  for (const Point hole : {Point{0.12, 0.25}, Point{-0.14, 0.2}, Point{0.02, 0.0}})
    canvas.disc({at.x + hole.x, at.y + hole.y}, 0.1, rgb(0x8794A8));
  return canvas.take();
}

}  // namespace rlhf::environments::detail
