#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace rlhf {

/// A file that appears whole or not at all: bytes go to a temporary file beside `path`, and `commit` flushes it to the
/// disk and renames it. A file already at `path` stays as it is until then, so that whoever has it mapped keeps the old
/// bytes.
class AtomicFile {
 public:
  /// Throws rlhf::Error (resource) where something else than an ordinary file has that name.
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();  // without a commit the temporary file is removed

  /// Throws rlhf::Error (resource) when the disk is full or the file cannot be written.
  void write(const void* bytes, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void write_zeros(std::size_t size);
  std::uint64_t position() const { return position_; }

  void commit();

 private:
  void flush();
  [[noreturn]] void fail(std::string_view action) const;

  std::filesystem::path path_, temporary_;
  int file_ = -1;
  std::uint64_t position_ = 0;
  std::vector<char> buffer_;
};

}  // namespace rlhf
