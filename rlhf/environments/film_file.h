#pragma once
#include <filesystem>
#include <span>
#include <string_view>

#include "rlhf/environments/environment.h"

namespace rlhf::environments {

/// How the frames of a film are kept.
enum class FilmFormat {
  frames,  // a folder of PNG files, 000000.png, 000001.png, ..., and film.json; nothing is lost
  png,     // one animated PNG; nothing is lost
  webp,    // one animated WebP, by the program img2webp or ffmpeg; nothing is lost
  mp4,     // one MP4, by ffmpeg: H.264 where it has it; colours at half resolution, odd sides one pixel longer
};

/// By the end of the name: .png, .webp, .mp4; a name without one is a folder of frames. Throws rlhf::Error (usage) for
/// another end.
FilmFormat film_format_of(const std::filesystem::path& file);

/// ".png"; empty for a folder of frames.
std::string_view ending_of(FilmFormat format);

/// Before hours of play are recorded: throws rlhf::Error (resource) unless a film of this format can be written on this
/// machine, naming the program that is missing, its package, and the formats that need none.
void require_encoder(FilmFormat format);

/// Writes a film that repeats for ever, where its format can say so. A file is replaced whole or not at all; a folder
/// has to be empty or new. film.json in a folder is {"format": 1, "frames", "frames_per_second", "height", "width"}.
///
///   frames             all of one size
///   frames_per_second  in real time; clips know theirs (Manifest::fps)
///
/// Throws rlhf::Error: usage without frames, for frames of different sizes, for a rate that is not positive and for a
/// folder that holds something; resource without encoder; failure with the encoder's own words where it gives up.
void write_film(const std::filesystem::path& file, FilmFormat format, std::span<const Image> frames,
                double frames_per_second);

/// Which steps a film shows, so that it plays in real time.
struct FilmPace {
  std::int64_t every = 1;  // steps from one frame to the next
  double frames_per_second = 0.0;
};

/// At most so many frames a second. A world that does not say how long a step lasts takes ten of them a second.
FilmPace film_pace(const Spec& spec, double most_frames_per_second = 25);

}  // namespace rlhf::environments
