#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlhf/core/files.h"
#include "rlhf/data/trajectory.h"

namespace rlhf::data {

/// One episode as a line of JSON (docs/formats.md, "Episodes"). All numbers come back to the bit. Saved states and
/// predicted rewards are not written: they belong to one program and one model.
std::string to_line(const Trajectory& trajectory);

void write_trajectories(const std::filesystem::path& file, std::span<const Trajectory> trajectories);

/// Lines of such a file, plain or gzip. Throws rlhf::Error (bad_data) with file and line for what is no episode: a
/// missing or wrong column, counts that do not fit, a newer format.
std::vector<Trajectory> read_trajectories(const std::filesystem::path& file);

/// Episodes that join a file one by one, as somebody plays them.
class TrajectoryWriter {
 public:
  /// Opens or creates the file. Throws as read_trajectories does for one that holds anything but episodes, and
  /// rlhf::Error (usage) for a gzip file.
  explicit TrajectoryWriter(const std::filesystem::path& file);

  /// The episode is on the disk when it returns.
  void add(const Trajectory& trajectory);
  /// Takes the last `add` back, once. Throws rlhf::Error (check), and changes nothing, when somebody else wrote since.
  void take_back();

 private:
  std::optional<AppendFile> file_;
  std::optional<std::uint64_t> before_;  // the file's size before the last add
};

}  // namespace rlhf::data
