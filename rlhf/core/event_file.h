#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "rlhf/core/files.h"

namespace rlhf {

/// CRC-32C (Castagnoli), as TFRecord files use it.
std::uint32_t crc32c(std::string_view bytes);

/// TFRecord framing: length, masked CRC of the length, the bytes, masked CRC of the bytes.
std::string tfrecord(std::string_view bytes);

/// TensorBoard's Event messages, encoded: the first of a file, and one step's scalars. `wall` is in s since 1970.
std::string first_event(double wall);
std::string scalar_event(double wall, std::int64_t step, std::span<const std::pair<std::string, double>> scalars);

/// A name that TensorBoard finds: "events.out.tfevents.<seconds>.<host>".
std::string event_file_name(double wall, std::string_view host);

/// A file that `tensorboard --logdir` shows.
class EventFile {
 public:
  /// Cut to `keep` bytes; an empty one gets its first event.
  EventFile(const std::filesystem::path& file, std::uint64_t keep);
  void write(std::int64_t step, std::span<const std::pair<std::string, double>> scalars);
  void sync() { file_.sync(); }
  std::uint64_t size() const { return file_.size(); }

 private:
  AppendFile file_;
};

}  // namespace rlhf
