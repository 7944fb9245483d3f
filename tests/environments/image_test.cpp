#include "rlhf/environments/image.h"

#include <gtest/gtest.h>

#include <array>

#include "rlhf/environments/canvas.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

constexpr View ten_by_ten{0, 0, 10, 10};  // one unit a pixel below
constexpr Color white = rgb(0xFFFFFF), black = rgb(0x000000);

int red_at(const Image& image, int column, int row) { return image.rgb[(std::size_t(row) * image.width + column) * 3]; }

TEST(Canvas, APixelHalfCoveredIsHalfWayBetweenTheColours) {
  Canvas canvas(10, 10, ten_by_ten, white);
  canvas.box({3.25, 5}, 4.5, 6, 0, black);  // x 1 .. 5.5, y 2 .. 8
  const auto image = canvas.take();
  EXPECT_EQ(red_at(image, 0, 5), 255);
  EXPECT_EQ(red_at(image, 1, 5), 0);
  EXPECT_EQ(red_at(image, 4, 5), 0);
  EXPECT_NEAR(red_at(image, 5, 5), 128, 1);
  EXPECT_EQ(red_at(image, 6, 5), 255);
  EXPECT_EQ(red_at(image, 3, 1), 255);  // y 8 .. 9: rows count from the top
  EXPECT_EQ(red_at(image, 3, 2), 0);
}

/// The black area in pixels, partial ones as parts.
double area(const Image& image) {
  double sum = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) sum += (255 - image.rgb[i]) / 255.0;
  return sum;
}

TEST(Canvas, ShapesHaveTheirAreas) {
  const auto drawn = [](auto&& draw) {
    Canvas canvas(100, 100, {0, 0, 10, 10}, white);  // 100 pixels a square unit
    draw(canvas);
    return area(canvas.take()) / 100;
  };
  constexpr double pi = 3.14159265358979;
  EXPECT_NEAR(drawn([](Canvas& c) { c.disc({5, 5}, 3, black); }), pi * 9, 0.05);
  EXPECT_NEAR(drawn([](Canvas& c) { c.ring({5, 5}, 3, 1, black); }), pi * (3.5 * 3.5 - 2.5 * 2.5), 0.05);
  EXPECT_NEAR(drawn([](Canvas& c) { c.line({2, 3}, {6, 6}, 1, black); }), 5 + pi / 4, 0.05);
  EXPECT_NEAR(drawn([](Canvas& c) { c.box({5, 5}, 4, 2, 0, black, 0.5); }), 8, 0.05);
  EXPECT_NEAR(drawn([](Canvas& c) { c.box({5, 5}, 4, 2, 1, black); }), 4 + pi, 0.05);
  const std::array<Point, 3> triangle = {{{1, 1}, {9, 1}, {5, 7}}};
  EXPECT_NEAR(drawn([&](Canvas& c) { c.polygon(triangle, black); }), 24, 0.05);
}

TEST(Canvas, DrawsWhatLiesPartlyOrFarOutside) {
  Canvas canvas(10, 10, ten_by_ten, white);
  canvas.disc({1e12, 5}, 3, black);
  canvas.box({5, -1}, 1e9, 4, 0, black);  // y up to 1: the lowest row
  const auto image = canvas.take();
  EXPECT_EQ(area(image), 10.0);
  EXPECT_EQ(red_at(image, 9, 9), 0);
}

TEST(Image, PngComesBackAndIsAFunctionOfThePicture) {
  Canvas canvas(37, 21, ten_by_ten, rgb(0xF6F7F9));
  canvas.disc({5, 5}, 3, rgb(0x3D4F6B));
  const auto image = canvas.take();
  const auto file = encode_png(image);
  EXPECT_EQ(decode_png(file), image);
  EXPECT_EQ(encode_png(image), file);
  EXPECT_EQ(error_of([&] { decode_png(file.substr(0, 40)); }).category(), Category::bad_data);
  EXPECT_EQ(error_of([] { encode_png({.width = 2, .height = 2, .rgb = {1, 2, 3}}); }).category(), Category::usage);
}

}  // namespace
}  // namespace rlhf::environments
