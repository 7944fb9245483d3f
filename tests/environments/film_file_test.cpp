#include "rlhf/environments/film_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "rlhf/core/files.h"
#include "rlhf/environments/cart_pole_fixed.h"
#include "rlhf/environments/detail/encoder.h"
#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A cart that is pushed about; no two frames in a row are equal.
std::vector<Image> frames_of_play(int width, int height, int count) {
  Single<CartPoleFixedWorld> world;
  world.reset(5);
  std::vector<Image> frames;
  for (int t = 0; t < count; ++t) {
    frames.push_back(world.render(width, height));
    for (int k = 0; k < 2; ++k) world.step(std::int64_t{(t / 3) % 2});
  }
  for (int t = 1; t < count; ++t) EXPECT_NE(frames[t], frames[t - 1]);
  return frames;
}

/// PATH as it is told to be, until the end of the scope.
class PathIs {
 public:
  explicit PathIs(const std::string& path) : before_(std::getenv("PATH")) { ::setenv("PATH", path.c_str(), 1); }
  ~PathIs() { ::setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

void make_program(const fs::path& file, const std::string& script) {
  std::ofstream(file) << "#!/bin/sh\n" << script;
  ::chmod(file.c_str(), 0755);
}

double mean_difference(const Image& one, const std::string& rgb, std::size_t at, int width) {
  double sum = 0;
  for (int y = 0; y < one.height; ++y)
    for (int x = 0; x < one.width * 3; ++x)
      sum += std::abs(one.rgb[std::size_t(y * one.width * 3 + x)] -
                      int(static_cast<unsigned char>(rgb[at + std::size_t(y * width * 3 + x)])));
  return sum / double(one.rgb.size());
}

TEST(FilmFile, FormatIsTheEndOfTheName) {
  EXPECT_EQ(film_format_of("a/b.png"), FilmFormat::png);
  EXPECT_EQ(film_format_of("b.webp"), FilmFormat::webp);
  EXPECT_EQ(film_format_of("b.mp4"), FilmFormat::mp4);
  EXPECT_EQ(film_format_of("a.b/frames"), FilmFormat::frames);
  const auto error = error_of([] { film_format_of("b.gif"); });
  EXPECT_EQ(error.category(), Category::usage);
  EXPECT_THAT(error.fix(), HasSubstr(".webp"));
}

TEST(FilmFile, AFolderHoldsTheFramesToTheBit) {
  const ScratchFolder scratch;
  const auto frames = frames_of_play(61, 41, 12);
  const auto folder = scratch / "play";
  write_film(folder, FilmFormat::frames, frames, 12.5);
  for (std::size_t i = 0; i < frames.size(); ++i)
    EXPECT_EQ(decode_png(read_file(folder / fmt::format("{:06}.png", i))), frames[i]);
  const auto about = nlohmann::json::parse(read_file(folder / "film.json"));
  EXPECT_EQ(about.at("frames"), 12);
  EXPECT_EQ(about.at("frames_per_second"), 12.5);
  EXPECT_EQ(about.at("width"), 61);
  // Frames of an earlier, longer film would be taken for this one's.
  EXPECT_EQ(error_of([&] { write_film(folder, FilmFormat::frames, frames, 12.5); }).category(), Category::usage);
}

TEST(FilmFile, SaysWhatToInstallAndWhatWorksWithout) {
  const ScratchFolder scratch;
  const auto frames = frames_of_play(30, 20, 3);
  const PathIs nothing((scratch / "empty").string());
  for (const auto format : {FilmFormat::webp, FilmFormat::mp4}) {
    const auto file = scratch / fmt::format("play{}", ending_of(format));
    const auto error = error_of([&] { write_film(file, format, frames, 10); });
    EXPECT_EQ(error.category(), Category::resource);
    EXPECT_THAT(error.problem(), HasSubstr("ffmpeg"));
    EXPECT_THAT(error.fix(), testing::AllOf(HasSubstr("package"), HasSubstr(".png")));
    EXPECT_FALSE(fs::exists(file));
  }
  write_film(scratch / "play.png", FilmFormat::png, frames, 10);
  EXPECT_EQ(decode_png(read_file(scratch / "play.png")), frames[0]);
}

TEST(FilmFile, AnEncoderThatGivesUpIsQuotedAndLeavesNothing) {
  const ScratchFolder scratch;
  const auto frames = frames_of_play(300, 200, 20);  // more than any pipe holds
  make_folder(scratch / "bin");
  make_program(scratch / "bin/ffmpeg", "echo 'no codec for you' >&2; exit 3\n");
  const PathIs path((scratch / "bin").string());
  const auto error = error_of([&] { write_film(scratch / "play.mp4", FilmFormat::mp4, frames, 10); });
  EXPECT_EQ(error.category(), Category::failure);
  EXPECT_THAT(error.problem(), testing::AllOf(HasSubstr("status 3"), HasSubstr("no codec for you")));
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path()), {}), 1);  // bin
}

TEST(FilmFile, HandsFfmpegEveryFrameAsItIs) {
  const ScratchFolder scratch;
  const auto frames = frames_of_play(31, 21, 7);
  make_folder(scratch / "bin");
  make_program(scratch / "bin/ffmpeg",
               "for last; do :; done; echo \"$@\" > '" + (scratch / "words").string() + "'; /bin/cat > \"$last\"\n");
  {
    const PathIs path((scratch / "bin").string());
    write_film(scratch / "play.mp4", FilmFormat::mp4, frames, 40.0 / 3);
  }
  std::string all;
  for (const auto& frame : frames) all.append(frame.rgb.begin(), frame.rgb.end());
  EXPECT_EQ(read_file(scratch / "play.mp4"), all);
  EXPECT_THAT(read_file(scratch / "words"),
              testing::AllOf(HasSubstr("31x21"), HasSubstr("13.333333"), HasSubstr("rgb24")));
}

TEST(FilmFile, AnMp4DecodesToTheFramesInTheirOrder) {
  const auto ffmpeg = detail::program_on_path("ffmpeg");
  if (!ffmpeg) GTEST_SKIP() << "ffmpeg is not on PATH; Debian's package ffmpeg has it";
  const ScratchFolder scratch;
  const auto frames = frames_of_play(121, 81, 30);
  const auto file = scratch / "play.mp4", raw = scratch / "raw";
  write_film(file, FilmFormat::mp4, frames, 25);
  detail::run_encoder({ffmpeg->string(), "-loglevel", "error", "-i", file.string(), "-f", "rawvideo", "-pix_fmt",
                       "rgb24", raw.string()});
  const auto decoded = read_file(raw);
  constexpr std::size_t frame_bytes = 122 * 82 * 3;  // odd sides grew by a pixel
  ASSERT_EQ(decoded.size(), frame_bytes * frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const double own = mean_difference(frames[i], decoded, i * frame_bytes, 122);
    EXPECT_LT(own, 4) << "of 255, frame " << i;
    const auto far = (i + 10) % frames.size();
    EXPECT_LT(own, mean_difference(frames[far], decoded, i * frame_bytes, 122));
  }
  const auto first = read_file(file);
  write_film(file, FilmFormat::mp4, frames, 25);
  EXPECT_EQ(read_file(file), first);
}

std::uint32_t little_endian(const std::string& bytes, std::size_t at, int size) {
  std::uint32_t number = 0;
  for (int i = size - 1; i >= 0; --i) number = number << 8 | static_cast<std::uint8_t>(bytes.at(at + std::size_t(i)));
  return number;
}

struct WebP {
  int width = 0, height = 0, frames = 0, milliseconds = 0;
  bool lossless = true;
};

/// What the container says (RFC 9649): VP8X the canvas, ANMF each frame; VP8L are pixels that lost nothing.
WebP read_webp(const std::string& file) {
  EXPECT_EQ(file.substr(0, 4) + file.substr(8, 4), "RIFFWEBP");
  WebP read;
  for (std::size_t at = 12; at + 8 <= file.size();) {
    const auto name = file.substr(at, 4);
    const auto size = little_endian(file, at + 4, 4);
    const auto content = at + 8;
    if (name == "VP8X") {
      read.width = int(little_endian(file, content + 4, 3)) + 1;
      read.height = int(little_endian(file, content + 7, 3)) + 1;
    }
    if (name == "ANMF") {
      ++read.frames;
      read.milliseconds += int(little_endian(file, content + 12, 3));
      read.lossless = read.lossless && file.substr(content + 16, 4) == "VP8L";
    }
    at = content + size + size % 2;
  }
  return read;
}

TEST(FilmFile, AWebPHasEveryFrameAndLosesNothing) {
  const auto img2webp = detail::program_on_path("img2webp"), ffmpeg = detail::program_on_path("ffmpeg");
  if (!img2webp && !ffmpeg)
    GTEST_SKIP() << "neither img2webp nor ffmpeg is on PATH; Debian's packages webp and ffmpeg have them";
  const auto frames = frames_of_play(60, 40, 10);
  for (const auto& program : {img2webp, ffmpeg}) {
    if (!program) continue;
    const ScratchFolder scratch;
    make_folder(scratch / "bin");
    fs::create_symlink(*program, scratch / "bin" / program->filename());
    {
      const PathIs path((scratch / "bin").string());
      write_film(scratch / "play.webp", FilmFormat::webp, frames, 16);
    }
    const auto read = read_webp(read_file(scratch / "play.webp"));
    EXPECT_EQ(read.width, 60) << *program;
    EXPECT_EQ(read.height, 40);
    EXPECT_EQ(read.frames, 10);
    EXPECT_TRUE(read.lossless);
    if (program == img2webp) {
      EXPECT_EQ(read.milliseconds, 625);
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path()), {}), 2) << "nothing is left lying about";
  }
}

TEST(FilmFile, TheFirstFrameOfAWebPComesBackToTheBit) {
  const auto webpmux = detail::program_on_path("webpmux"), dwebp = detail::program_on_path("dwebp");
  if (!webpmux || !dwebp || !detail::program_on_path("img2webp"))
    GTEST_SKIP() << "img2webp, webpmux and dwebp are not all on PATH; Debian's package webp has them";
  const ScratchFolder scratch;
  const auto frames = frames_of_play(60, 40, 4);
  const auto file = [&](const char* name) { return (scratch / name).string(); };
  write_film(file("play.webp"), FilmFormat::webp, frames, 16);
  detail::run_encoder({webpmux->string(), "-get", "frame", "1", file("play.webp"), "-o", file("one.webp")});
  detail::run_encoder({dwebp->string(), file("one.webp"), "-o", file("one.png")});
  EXPECT_EQ(decode_png(read_file(file("one.png"))), frames[0]);
}

TEST(FilmPace, KeepsRealTime) {
  Spec spec;
  spec.step_seconds = 0.02;
  EXPECT_EQ(film_pace(spec).every, 2);
  EXPECT_DOUBLE_EQ(film_pace(spec).frames_per_second, 25);
  spec.step_seconds = 0.05;
  EXPECT_EQ(film_pace(spec).every, 1);
  EXPECT_DOUBLE_EQ(film_pace(spec).frames_per_second, 20);
  spec.step_seconds = 0;  // a board game
  EXPECT_DOUBLE_EQ(film_pace(spec).frames_per_second, 10);
}

}  // namespace
}  // namespace rlhf::environments
