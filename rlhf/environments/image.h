#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace rlhf::environments {

struct Image {
  int width = 0, height = 0;      // pixels
  std::vector<std::uint8_t> rgb;  // [height, width, 3], sRGB

  bool operator==(const Image&) const = default;
};

/// The bytes of a PNG file. Equal pictures give equal bytes. Throws rlhf::Error for a picture without pixels.
std::string encode_png(const Image& image);

/// Throws rlhf::Error (bad_data) for bytes that are no PNG.
Image decode_png(const std::string& bytes);

/// The whole picture within width x height, its shape kept, centred on black. Each pixel is the mean of what it covers,
/// so that enlarged pixels stay crisp.
Image fitted(const Image& image, int width, int height);

}  // namespace rlhf::environments
