#include "rlhf/environments/detail/mujoco_picture.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "rlhf/environments/canvas.h"

namespace rlhf::environments::detail {
namespace {

struct Vector {
  double x = 0, y = 0, z = 0;
};

double dot(Vector a, Vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
Vector from(const double* numbers) { return {numbers[0], numbers[1], numbers[2]}; }
Vector along(Vector start, Vector way, double share) {
  return {start.x + way.x * share, start.y + way.y * share, start.z + way.z * share};
}

/// Where the camera stands: the picture's axes in the world.
struct Eye {
  Vector target, right, up, forward;

  Point place(Vector p) const {
    const Vector offset{p.x - target.x, p.y - target.y, p.z - target.z};
    return {dot(offset, right), dot(offset, up)};
  }
  double depth(Vector p) const { return dot(p, forward); }
};

Eye eye_of(const MujocoCamera& camera, Vector target) {
  const double turn = camera.azimuth * std::numbers::pi / 180, rise = camera.elevation * std::numbers::pi / 180;
  const double cosine = std::cos(turn), sine = std::sin(turn);
  return {.target = target,
          .right = {sine, -cosine, 0},
          .up = {cosine * std::sin(rise), sine * std::sin(rise), std::cos(rise)},
          .forward = {cosine * std::cos(rise), sine * std::cos(rise), -std::sin(rise)}};
}

constexpr Color sky = rgb(0xEDF2F8), light_tile = rgb(0xD9DED2), dark_tile = rgb(0xC6CDBE);
constexpr Color shadow = rgb(0x2B384D, 0.16);

Color shade(const MujocoShape& shape, double share) {
  const auto tone = [share](float part) {
    const double bright = share <= 1 ? part * share : part + (1 - part) * (share - 1);
    return static_cast<std::uint8_t>(std::lround(std::clamp(bright, 0.0, 1.0) * 255));
  };
  return {tone(shape.red), tone(shape.green), tone(shape.blue)};
}

/// Squares of the ground about the camera's target; a track of them where the camera looks from the side.
void draw_ground(Canvas& canvas, const Eye& eye, const MujocoCamera& camera, double height) {
  const double side = camera.half_height < 0.5 ? 0.1 : 0.5;
  const double rise = std::sin(camera.elevation * std::numbers::pi / 180);
  const double far =
      camera.half_height * (camera.wide ? 2.5 / rise : 2.5);  // the flatter the view, the farther it goes
  const auto column = std::floor(eye.target.x / side), row = std::floor(camera.wide ? eye.target.y / side : 0.0);
  const int columns = static_cast<int>(std::ceil(far / side)), rows = camera.wide ? columns : 2;
  for (int i = -columns; i <= columns; ++i)
    for (int j = -rows; j < rows; ++j) {
      const double x = (column + i) * side, y = (row + j) * side;
      const Point corners[] = {eye.place({x, y, height}), eye.place({x + side, y, height}),
                               eye.place({x + side, y + side, height}), eye.place({x, y + side, height})};
      const bool dark = std::fmod(std::abs(column + i + row + j), 2.0) == 1;
      canvas.polygon(corners, dark ? dark_tile : light_tile);
    }
}

/// A capsule from end to end; a sphere is one without length.
void draw_shape(Canvas& canvas, const Eye& eye, const MujocoShape& shape, double edge) {
  const Vector center = from(shape.center), axis = from(shape.axis);
  const double half = shape.kind == MujocoShape::capsule ? shape.half_length : 0;
  const Point a = eye.place(along(center, axis, half)), b = eye.place(along(center, axis, -half));
  const double width = 2 * shape.radius;
  canvas.line(a, b, width + 2 * edge, shade(shape, 0.45));
  canvas.line(a, b, width, shade(shape, 0.92));
  const double lift = 0.3 * shape.radius;
  canvas.line({a.x - lift, a.y + lift}, {b.x - lift, b.y + lift}, 0.7 * shape.radius, shade(shape, 1.3));
}

void draw_shadow(Canvas& canvas, const Eye& eye, const MujocoShape& shape, double ground) {
  const Vector center = from(shape.center), axis = from(shape.axis);
  const double half = shape.kind == MujocoShape::capsule ? shape.half_length : 0;
  auto a = along(center, axis, half), b = along(center, axis, -half);
  a.z = b.z = ground;
  canvas.line(eye.place(a), eye.place(b), 1.4 * shape.radius, shadow);
}

/// The height of the ground, where there is one near.
std::optional<double> ground_of(const std::vector<MujocoShape>& shapes) {
  for (const auto& shape : shapes)
    if (shape.kind == MujocoShape::plane && shape.center[2] > -1) return shape.center[2];
  return std::nullopt;
}

}  // namespace

Image draw_mujoco(std::vector<MujocoShape> shapes, const MujocoCamera& camera, int width, int height) {
  Vector target{0, 0, camera.center};
  const auto ground = ground_of(shapes);
  std::erase_if(shapes, [](const auto& shape) { return shape.kind == MujocoShape::plane; });
  if (camera.follows && !shapes.empty()) {  // the first shape is the robot's torso
    target.x = shapes.front().center[0];
    if (camera.wide) target.y = shapes.front().center[1];
  }
  const auto eye = eye_of(camera, target);
  const double half = camera.half_height;
  Canvas canvas(width, height, {.left = -1.3 * half, .bottom = -half, .right = 1.3 * half, .top = half}, sky);
  if (ground && camera.elevation > 0) {
    draw_ground(canvas, eye, camera, *ground);
    for (const auto& shape : shapes) draw_shadow(canvas, eye, shape, *ground);
  }
  std::stable_sort(shapes.begin(), shapes.end(), [&](const MujocoShape& a, const MujocoShape& b) {
    return eye.depth(from(a.center)) > eye.depth(from(b.center));
  });
  for (const auto& shape : shapes) draw_shape(canvas, eye, shape, 0.008 * half);
  return canvas.take();
}

}  // namespace rlhf::environments::detail
