#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "rlhf/data/trajectory.h"

namespace rlhf::data {

/// One episode as a line of JSON (docs/formats.md, "Episodes"). All numbers come back to the bit. Saved states and
/// predicted rewards are not written: they belong to one program and one model.
std::string to_line(const Trajectory& trajectory);

void write_trajectories(const std::filesystem::path& file, std::span<const Trajectory> trajectories);

/// Lines of such a file, plain or gzip. Throws rlhf::Error (bad_data) with file and line for what is no episode: a
/// missing or wrong column, counts that do not fit, a newer format.
std::vector<Trajectory> read_trajectories(const std::filesystem::path& file);

}  // namespace rlhf::data
