#include "rlhf/environments/animation.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "rlhf/core/error.h"

namespace rlhf::environments {
namespace {

// A PNG file is a signature and chunks: length, name, bytes, check sum. An animated one (the APNG extension of the PNG
// specification, third edition) has the chunks acTL once, fcTL before each frame, and fdAT where frames after the first
// have their IDAT, with a number in front.
constexpr std::size_t signature = 8, around = 12;  // bytes of a chunk beside its own

void put(std::string& to, std::uint32_t number, int bytes = 4) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) to.push_back(static_cast<char>(number >> shift));
}

std::string chunk(const char* name, const std::string& content) {
  std::string bytes;
  put(bytes, static_cast<std::uint32_t>(content.size()));
  const std::string checked = name + content;
  bytes += checked;
  put(bytes, static_cast<std::uint32_t>(
                 crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()))));
  return bytes;
}

/// The contents of all chunks of that name, one after the other.
std::string contents(const std::string& png, std::string_view name) {
  std::string found;
  for (std::size_t at = signature; at + around <= png.size();) {
    std::uint32_t length = 0;
    for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<std::uint8_t>(png[at + i]);
    if (png.compare(at + 4, 4, name) == 0) found.append(png, at + 8, length);
    at += around + length;
  }
  return found;
}

struct Rectangle {
  int x = 0, y = 0, width = 1, height = 1;
};

const std::uint8_t* pixel(const Image& image, int x, int y) {
  return image.rgb.data() + (static_cast<std::size_t>(y) * image.width + x) * 3;
}

/// The smallest rectangle that holds all that differs; one pixel where nothing does, since a frame cannot be empty.
Rectangle changed(const Image& before, const Image& after) {
  int left = after.width, right = -1, top = after.height, bottom = -1;
  for (int y = 0; y < after.height; ++y)
    for (int x = 0; x < after.width; ++x)
      if (!std::equal(pixel(after, x, y), pixel(after, x, y) + 3, pixel(before, x, y))) {
        left = std::min(left, x);
        right = std::max(right, x);
        top = std::min(top, y);
        bottom = y;
      }
  if (right < 0) return {};
  return {left, top, right - left + 1, bottom - top + 1};
}

Image piece(const Image& image, const Rectangle& of) {
  Image cut{.width = of.width, .height = of.height};
  for (int y = 0; y < of.height; ++y)
    cut.rgb.insert(cut.rgb.end(), pixel(image, of.x, of.y + y), pixel(image, of.x, of.y + y) + 3 * of.width);
  return cut;
}

/// The number of a chunk in the animation, the frame's rectangle, how long it is shown; it stays and is drawn over.
std::string frame_control(std::uint32_t number, const Rectangle& where, std::uint32_t milliseconds) {
  std::string bytes;
  put(bytes, number);
  for (const int side : {where.width, where.height, where.x, where.y}) put(bytes, static_cast<std::uint32_t>(side));
  put(bytes, milliseconds, 2);
  put(bytes, 1000, 2);
  put(bytes, 0, 2);  // leave it, write over it
  return chunk("fcTL", bytes);
}

}  // namespace

void require_playable(std::string_view where, std::span<const Image> frames, double rate) {
  const auto refuse = [&](std::string what) {
    throw Error({.category = Category::usage, .where = std::string(where), .what = std::move(what), .fix = ""});
  };
  if (frames.empty()) refuse("there is no frame");
  if (!(rate > 0)) refuse(fmt::format("{} frames a second", rate));
  for (const auto& frame : frames)
    if (frame.width != frames[0].width || frame.height != frames[0].height)
      refuse(fmt::format("a frame of {} x {} among frames of {} x {}", frame.width, frame.height, frames[0].width,
                         frames[0].height));
}

std::vector<std::uint32_t> shown_milliseconds(std::size_t frames, double frames_per_second) {
  std::vector<std::uint32_t> shown;
  double until = 0;
  for (std::size_t i = 0; i < frames; ++i) {
    const double next = static_cast<double>(i + 1) * 1000 / frames_per_second;
    const auto milliseconds = std::clamp(std::round(next - until), 1.0, 65535.0);
    until += milliseconds;
    shown.push_back(static_cast<std::uint32_t>(milliseconds));
  }
  return shown;
}

std::string encode_animation(std::span<const Image> frames, double frames_per_second) {
  require_playable("encode_animation", frames, frames_per_second);
  const auto first = encode_png(frames[0]);
  std::string file = first.substr(0, signature);
  file += chunk("IHDR", contents(first, "IHDR"));
  std::string control;
  put(control, static_cast<std::uint32_t>(frames.size()));
  put(control, 0);  // repeats for ever
  file += chunk("acTL", control);
  std::uint32_t number = 0;
  const auto shown = shown_milliseconds(frames.size(), frames_per_second);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto where = i == 0 ? Rectangle{0, 0, frames[0].width, frames[0].height} : changed(frames[i - 1], frames[i]);
    file += frame_control(number++, where, shown[i]);
    if (i == 0) {
      file += chunk("IDAT", contents(first, "IDAT"));
      continue;
    }
    std::string numbered;
    put(numbered, number++);
    file += chunk("fdAT", numbered + contents(encode_png(piece(frames[i], where)), "IDAT"));
  }
  return file + chunk("IEND", "");
}

}  // namespace rlhf::environments
