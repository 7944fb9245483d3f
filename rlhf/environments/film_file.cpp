#include "rlhf/environments/film_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/animation.h"
#include "rlhf/environments/detail/encoder.h"

namespace rlhf::environments {
namespace {

namespace fs = std::filesystem;
using detail::program_on_path;

/// A file or folder beside the film's place that is gone again unless it was moved there.
class Unfinished {
 public:
  explicit Unfinished(const fs::path& file)
      : path_(file.parent_path() /
              fmt::format(".{}.{}{}", file.stem().string(), ::getpid(), file.extension().string())) {}
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void make_folder_of(const fs::path& file) {
  if (!file.parent_path().empty()) make_folder(file.parent_path());
}

std::string frame_name(std::size_t index) { return fmt::format("{:06}.png", index); }

void write_frames(const fs::path& folder, std::span<const Image> frames, double rate) {
  if (fs::exists(folder) && !fs::is_empty(folder))
    throw Error({.category = Category::usage,
                 .where = folder.string(),
                 .what = "frames cannot go there, for there is something in it already",
                 .fix = "Name a new folder, or a file that ends in .png, .webp or .mp4."});
  make_folder(folder);
  for (std::size_t i = 0; i < frames.size(); ++i) write_file_atomic(folder / frame_name(i), encode_png(frames[i]));
  const nlohmann::json about{{"format", 1},
                             {"frames", frames.size()},
                             {"frames_per_second", rate},
                             {"height", frames[0].height},
                             {"width", frames[0].width}};
  write_file_atomic(folder / "film.json", about.dump(2) + "\n");
}

/// ffmpeg reads raw pixels; what comes of equal frames does not depend on when it was made.
void run_ffmpeg(const fs::path& file, std::span<const Image> frames, double rate, const std::vector<std::string>& how) {
  std::vector<std::string> command = {program_on_path("ffmpeg")->string(), "-hide_banner", "-loglevel", "error", "-y"};
  const auto size = fmt::format("{}x{}", frames[0].width, frames[0].height), speed = fmt::format("{:.6f}", rate);
  command.insert(command.end(), {"-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", size});
  command.insert(command.end(), {"-framerate", speed, "-i", "pipe:0"});
  command.insert(command.end(), how.begin(), how.end());
  command.insert(command.end(), {"-fflags", "+bitexact", "-flags:v", "+bitexact", file.string()});
  detail::run_encoder(command, [&](const detail::Feed& feed) {
    for (const auto& frame : frames)
      if (!feed({reinterpret_cast<const char*>(frame.rgb.data()), frame.rgb.size()})) return;
  });
}

void write_webp(const fs::path& file, std::span<const Image> frames, double rate) {
  const auto img2webp = program_on_path("img2webp");
  if (!img2webp) return run_ffmpeg(file, frames, rate, {"-c:v", "libwebp_anim", "-lossless", "1", "-loop", "0"});
  const Unfinished folder(file.parent_path() / (file.stem().string() + "-frames"));
  make_folder(folder.path());
  // -m 4 takes twice as long for 4 % more bytes.
  std::vector<std::string> command = {img2webp->string(), "-loop", "0", "-lossless", "-m", "2"};
  const auto shown = shown_milliseconds(frames.size(), rate);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto frame = folder.path() / frame_name(i);
    std::ofstream(frame, std::ios::binary) << encode_png(frames[i]);
    command.insert(command.end(), {"-d", std::to_string(shown[i]), frame.string()});
  }
  command.insert(command.end(), {"-o", file.string()});
  detail::run_encoder(command);
}

void write_mp4(const fs::path& file, std::span<const Image> frames, double rate) {
  run_ffmpeg(file, frames, rate,
             {"-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "+faststart"});
}

[[noreturn]] void missing(std::string what, std::string packages) {
  const auto without = "; an animated PNG (.png) or a folder of frames needs no other program.";
  throw Error({.category = Category::resource,
               .where = "film",
               .what = std::move(what),
               .fix = "Install " + packages + without});
}

}  // namespace

FilmFormat film_format_of(const fs::path& file) {
  const auto end = file.extension();
  if (end.empty()) return FilmFormat::frames;
  for (const auto format : {FilmFormat::png, FilmFormat::webp, FilmFormat::mp4})
    if (end == ending_of(format)) return format;
  throw Error({.category = Category::usage,
               .where = file.string(),
               .what = fmt::format("no film of this kind is written: {}", end.string()),
               .fix = "Let its name end in .png, .webp or .mp4, or in nothing for a folder of frames."});
}

std::string_view ending_of(FilmFormat format) {
  switch (format) {
    case FilmFormat::frames: return "";
    case FilmFormat::png: return ".png";
    case FilmFormat::webp: return ".webp";
    case FilmFormat::mp4: return ".mp4";
  }
  return "";
}

void require_encoder(FilmFormat format) {
  if (format == FilmFormat::mp4 && !program_on_path("ffmpeg"))
    missing("an MP4 is written by the program ffmpeg, which is not on PATH", "it (Debian's package ffmpeg)");
  if (format == FilmFormat::webp && !program_on_path("img2webp") && !program_on_path("ffmpeg"))
    missing("an animated WebP is written by the program img2webp or ffmpeg, and neither is on PATH",
            "one of them (Debian's packages webp and ffmpeg)");
}

void write_film(const fs::path& file, FilmFormat format, std::span<const Image> frames, double frames_per_second) {
  require_playable("write_film", frames, frames_per_second);
  require_encoder(format);
  if (format == FilmFormat::frames) return write_frames(file, frames, frames_per_second);
  make_folder_of(file);
  if (format == FilmFormat::png) return write_file_atomic(file, encode_animation(frames, frames_per_second));
  const Unfinished part(file);
  format == FilmFormat::webp ? write_webp(part.path(), frames, frames_per_second)
                             : write_mp4(part.path(), frames, frames_per_second);
  sync_file(part.path());
  fs::rename(part.path(), file);
}

FilmPace film_pace(const Spec& spec, double most_frames_per_second) {
  const double step_seconds = spec.step_seconds > 0 ? spec.step_seconds : 0.1;
  const auto every = std::max(1.0, std::ceil(1 / (step_seconds * most_frames_per_second) - 1e-9));
  return {.every = static_cast<std::int64_t>(every), .frames_per_second = 1 / (step_seconds * every)};
}

}  // namespace rlhf::environments
