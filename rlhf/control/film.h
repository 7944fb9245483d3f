#pragma once
#include <filesystem>

#include "rlhf/control/episodes.h"
#include "rlhf/environments/environment.h"

namespace rlhf::control {

struct FilmOptions {
  std::int64_t steps = 300;       // at most; the film ends with the first episode
  int width = 300, height = 200;  // pixels
  double frames_per_second = 25;  // at most: steps are left out to stay below it, in real time
};

/// Writes what an agent does, in the format that the file's name says (environments/film_file.h). `one` is a single
/// environment as the agent knows it, wrappers included; `drawer` has the same spec but for them and is what the states
/// are drawn with. Returns false, and writes nothing, where the environment can save no states or draw no picture.
bool film(environments::VectorEnvironment& one, environments::Environment& drawer, const Act& act, std::uint64_t seed,
          const std::filesystem::path& file, const FilmOptions& options = {});

}  // namespace rlhf::control
