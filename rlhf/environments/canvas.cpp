#include "rlhf/environments/canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"

namespace rlhf::environments {
namespace {

constexpr int largest = 4096;  // pixels a side

// std::sqrt is rounded exactly everywhere, std::hypot is not.
double length(Point p) { return std::sqrt(p.x * p.x + p.y * p.y); }

double box_distance(Point p, double half_width, double half_height, double round) {
  const Point beyond{std::abs(p.x) - half_width + round, std::abs(p.y) - half_height + round};
  const double outside = length({std::max(beyond.x, 0.0), std::max(beyond.y, 0.0)});
  return outside + std::min(std::max(beyond.x, beyond.y), 0.0) - round;
}

double line_distance(Point p, Point from, Point to) {
  const Point along{to.x - from.x, to.y - from.y}, offset{p.x - from.x, p.y - from.y};
  const double square = along.x * along.x + along.y * along.y;
  const double share = square > 0 ? std::clamp((offset.x * along.x + offset.y * along.y) / square, 0.0, 1.0) : 0.0;
  return length({offset.x - share * along.x, offset.y - share * along.y});
}

double polygon_distance(Point p, std::span<const Point> corners) {
  double distance = -1e300;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const auto& a = corners[i];
    const auto& b = corners[(i + 1) % corners.size()];
    const Point edge{b.x - a.x, b.y - a.y};
    distance = std::max(distance, ((p.x - a.x) * edge.y - (p.y - a.y) * edge.x) / length(edge));
  }
  return distance;
}

}  // namespace

Canvas::Canvas(int width, int height, const View& view, Color background) {
  if (width < 1 || height < 1 || width > largest || height > largest) {
    throw Error({.category = Category::usage,
                 .where = "render",
                 .what = fmt::format("a picture of {} x {} pixels was asked for", width, height),
                 .fix = fmt::format("Both sides are 1 to {}.", largest)});
  }
  image_ = {.width = width, .height = height, .rgb = std::vector<std::uint8_t>(std::size_t(width) * height * 3)};
  scale_ = std::min(width / (view.right - view.left), height / (view.top - view.bottom));
  origin_ = {(view.left + view.right) / 2 - width / scale_ / 2, (view.bottom + view.top) / 2 + height / scale_ / 2};
  for (std::size_t i = 0; i < image_.rgb.size(); i += 3) {
    image_.rgb[i] = background.red;
    image_.rgb[i + 1] = background.green;
    image_.rgb[i + 2] = background.blue;
  }
}

void Canvas::disc(Point center, double radius, Color color) {
  const auto outside = [&](Point p) { return length({p.x - center.x, p.y - center.y}) - radius; };
  fill({center.x - radius, center.y - radius}, {center.x + radius, center.y + radius}, color, outside);
}

void Canvas::ring(Point center, double radius, double width, Color color) {
  const double outer = radius + width / 2;
  const auto outside = [&](Point p) {
    return std::abs(length({p.x - center.x, p.y - center.y}) - radius) - width / 2;
  };
  fill({center.x - outer, center.y - outer}, {center.x + outer, center.y + outer}, color, outside);
}

void Canvas::line(Point from, Point to, double width, Color color) {
  const double half = width / 2;
  fill({std::min(from.x, to.x) - half, std::min(from.y, to.y) - half},
       {std::max(from.x, to.x) + half, std::max(from.y, to.y) + half}, color,
       [&](Point p) { return line_distance(p, from, to) - half; });
}

void Canvas::box(Point center, double width, double height, double round, Color color, double angle) {
  const double reach = length({width, height}) / 2, cosine = std::cos(angle), sine = std::sin(angle);
  fill({center.x - reach, center.y - reach}, {center.x + reach, center.y + reach}, color, [&](Point p) {
    const Point offset{p.x - center.x, p.y - center.y};
    const Point turned{offset.x * cosine + offset.y * sine, offset.y * cosine - offset.x * sine};
    return box_distance(turned, width / 2, height / 2, round);
  });
}

void Canvas::polygon(std::span<const Point> corners, Color color) {
  Point low = corners.front(), high = low;
  for (const auto& corner : corners) {
    low = {std::min(low.x, corner.x), std::min(low.y, corner.y)};
    high = {std::max(high.x, corner.x), std::max(high.y, corner.y)};
  }
  fill(low, high, color, [&](Point p) { return polygon_distance(p, corners); });
}

void Canvas::glow(Point center, double width, double height, Color color) {
  // Rings of falling share would show as steps; here the edge itself is as wide as the shape.
  const Point low{center.x - width / 2, center.y - height / 2}, high{center.x + width / 2, center.y + height / 2};
  fill(low, high, color, [&](Point p) {
    const double out = length({(p.x - center.x) / (width / 2), (p.y - center.y) / (height / 2)});
    const double share = std::max(1.0 - out * out, 0.0);
    return (0.5 - share) / scale_;
  });
}

void Canvas::fill(Point low, Point high, Color color, const Distance& distance) {
  // One pixel of margin for the smooth edge. Clamped before the conversion: a shape may lie far outside.
  const auto pixel = [](double place, int end) { return static_cast<int>(std::clamp(place, 0.0, double(end))); };
  const int left = pixel(std::floor((low.x - origin_.x) * scale_) - 1, image_.width);
  const int right = pixel(std::ceil((high.x - origin_.x) * scale_) + 1, image_.width);
  const int first = pixel(std::floor((origin_.y - high.y) * scale_) - 1, image_.height);
  const int last = pixel(std::ceil((origin_.y - low.y) * scale_) + 1, image_.height);
  for (int row = first; row < last; ++row) {
    for (int column = left; column < right; ++column) {
      const Point p{origin_.x + (column + 0.5) / scale_, origin_.y - (row + 0.5) / scale_};
      blend(column, row, color, std::clamp(0.5 - distance(p) * scale_, 0.0, 1.0));
    }
  }
}

void Canvas::blend(int column, int row, Color color, double share) {
  if (share <= 0.0) return;
  auto* pixel = image_.rgb.data() + (std::size_t(row) * image_.width + column) * 3;
  const double over = share * color.opacity;
  const auto mix = [&](std::uint8_t below, std::uint8_t above) {
    return static_cast<std::uint8_t>(below + (above - below) * over + 0.5);
  };
  pixel[0] = mix(pixel[0], color.red);
  pixel[1] = mix(pixel[1], color.green);
  pixel[2] = mix(pixel[2], color.blue);
}

}  // namespace rlhf::environments
