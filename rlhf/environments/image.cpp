#include "rlhf/environments/image.h"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstring>

#include "rlhf/core/error.h"

namespace rlhf::environments {
namespace {

// libpng's plain interface writes through a callback; its simplified one cannot set the compression, whose default
// costs three times the time for one part in ten of the size.
constexpr int compression = 4;

void append(png_structp png, png_bytep bytes, std::size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), size);
}

/// False where libpng gave up. It leaves by longjmp, so nothing here may own anything.
bool write_png(png_structp png, png_infop info, const Image& image, std::string* file) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_write_fn(png, file, append, nullptr);
  png_set_IHDR(png, info, image.width, image.height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png, compression);
  png_set_filter(png, 0, PNG_FILTER_NONE | PNG_FILTER_UP);  // drawings repeat whole rows
  png_write_info(png, info);
  for (int row = 0; row < image.height; ++row)
    png_write_row(png, image.rgb.data() + std::size_t(row) * image.width * 3);
  png_write_end(png, info);
  return true;
}

}  // namespace

std::string encode_png(const Image& image) {
  const auto expected = static_cast<std::size_t>(image.width) * image.height * 3;
  if (image.width <= 0 || image.height <= 0 || image.rgb.size() != expected) {
    throw Error({.category = Category::usage,
                 .where = "encode_png",
                 .what = fmt::format("a picture of {} x {} needs {} bytes, it has {}", image.width, image.height,
                                     expected, image.rgb.size()),
                 .fix = ""});
  }
  std::string file;
  auto* png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  auto* info = png ? png_create_info_struct(png) : nullptr;
  const bool done = info && write_png(png, info, image, &file);
  png_destroy_write_struct(&png, &info);
  if (!done) throw Error({.category = Category::failure, .where = "encode_png", .what = "libpng refused", .fix = ""});
  return file;
}

Image decode_png(const std::string& bytes) {
  png_image header;
  std::memset(&header, 0, sizeof header);
  header.version = PNG_IMAGE_VERSION;
  Image image;
  bool done = png_image_begin_read_from_memory(&header, bytes.data(), bytes.size()) != 0;
  if (done) {
    header.format = PNG_FORMAT_RGB;
    image = {.width = int(header.width), .height = int(header.height)};
    image.rgb.resize(PNG_IMAGE_SIZE(header));
    done = png_image_finish_read(&header, nullptr, image.rgb.data(), 0, nullptr) != 0;
  }
  const std::string reason = header.message;
  png_image_free(&header);
  if (!done) {
    throw Error({.category = Category::bad_data, .where = "PNG", .what = "cannot be read: " + reason, .fix = ""});
  }
  return image;
}

namespace {

/// How much of each source pixel a target pixel covers along one side, in source pixels; the first one and the shares.
struct Cover {
  int first = 0;
  std::vector<double> shares;
};

std::vector<Cover> covers(int source, int target) {
  std::vector<Cover> all(static_cast<std::size_t>(target));
  const double scale = static_cast<double>(source) / target;
  for (int i = 0; i < target; ++i) {
    const double begin = i * scale, end = std::min<double>((i + 1) * scale, source);
    all[static_cast<std::size_t>(i)].first = static_cast<int>(begin);
    for (int pixel = static_cast<int>(begin); pixel < end; ++pixel)
      all[static_cast<std::size_t>(i)].shares.push_back(
          (std::min<double>(end, pixel + 1) - std::max<double>(begin, pixel)) / (end - begin));
  }
  return all;
}

}  // namespace

Image fitted(const Image& image, int width, int height) {
  Image result{.width = width, .height = height};
  result.rgb.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3, 0);
  const double scale = std::min(static_cast<double>(width) / image.width, static_cast<double>(height) / image.height);
  const int wide = std::max(1, static_cast<int>(std::lround(image.width * scale)));
  const int high = std::max(1, static_cast<int>(std::lround(image.height * scale)));
  const auto columns = covers(image.width, wide), rows = covers(image.height, high);
  for (int y = 0; y < high; ++y)
    for (int x = 0; x < wide; ++x) {
      double sum[3] = {0, 0, 0};
      const auto &down = rows[static_cast<std::size_t>(y)], &across = columns[static_cast<std::size_t>(x)];
      for (std::size_t r = 0; r < down.shares.size(); ++r)
        for (std::size_t c = 0; c < across.shares.size(); ++c) {
          const auto at = (static_cast<std::size_t>(down.first) + r) * static_cast<std::size_t>(image.width) +
                          static_cast<std::size_t>(across.first) + c;
          for (std::size_t k = 0; k < 3; ++k) sum[k] += down.shares[r] * across.shares[c] * image.rgb[at * 3 + k];
        }
      const auto to = static_cast<std::size_t>(y + (height - high) / 2) * static_cast<std::size_t>(width) +
                      static_cast<std::size_t>(x + (width - wide) / 2);
      for (std::size_t k = 0; k < 3; ++k) result.rgb[to * 3 + k] = static_cast<std::uint8_t>(std::lround(sum[k]));
    }
  return result;
}

}  // namespace rlhf::environments
