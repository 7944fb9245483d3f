#pragma once
#include <cstdint>
#include <functional>
#include <span>

#include "rlhf/environments/image.h"

namespace rlhf::environments {

struct Point {
  double x = 0.0, y = 0.0;
};

struct Color {
  std::uint8_t red = 0, green = 0, blue = 0;
  double opacity = 1.0;
};

/// 0xRRGGBB
constexpr Color rgb(unsigned value, double opacity = 1.0) {
  return {static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value), opacity};
}

/// The part of the world to show; y points up. It is fitted into the picture whole and centred, its shape kept.
struct View {
  double left = 0.0, bottom = 0.0, right = 1.0, top = 1.0;
};

/// Draws filled shapes with smooth edges, later ones over earlier ones. Coordinates and widths are in the world's
/// units.
///
/// A pixel's share of a shape is read off the signed distance of its centre to the edge: exact along straight edges,
/// and a pure function of its arguments, so that a picture drawn twice has the same bytes.
class Canvas {
 public:
  /// Throws rlhf::Error (usage) unless both sizes are within 1 .. 4096.
  Canvas(int width, int height, const View& view, Color background);

  void disc(Point center, double radius, Color color);
  void ring(Point center, double radius, double width, Color color);
  void line(Point from, Point to, double width, Color color);  // round ends
  /// `angle` in radians, counter-clockwise; corners are rounded with radius `round`.
  void box(Point center, double width, double height, double round, Color color, double angle = 0.0);
  /// Convex, corners counter-clockwise.
  void polygon(std::span<const Point> corners, Color color);
  /// A soft ellipse: shadows.
  void glow(Point center, double width, double height, Color color);

  Image take() { return std::move(image_); }

 private:
  using Distance = std::function<double(Point)>;  // world units, negative inside
  void fill(Point low, Point high, Color color, const Distance& distance);
  void blend(int column, int row, Color color, double share);

  Image image_;
  double scale_;  // pixels a unit
  Point origin_;  // the world's point at the picture's top left corner
};

}  // namespace rlhf::environments
