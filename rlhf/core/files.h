#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace rlhf {

// Every function throws rlhf::Error with the path and the system's reason: bad_data for a file that is not there (and
// lists those with similar names), resource for permissions and a full disk.

std::string read_file(const std::filesystem::path& file);

/// Readers see the old content or the new, never a part; the new one has reached the disk when it returns.
void write_file_atomic(const std::filesystem::path& file, std::string_view text);

/// Waits until a file's content (a folder's names) have reached the disk.
void sync_file(const std::filesystem::path& file);
void sync_folder(const std::filesystem::path& folder);
/// sync_file on everything below, then sync_folder from the innermost folder outwards.
void sync_tree(const std::filesystem::path& folder);

/// Creates the folder and those above it.
void make_folder(const std::filesystem::path& folder);

/// Bytes this process may still write on the file system of `path` (or of its nearest existing parent).
std::uint64_t free_bytes(const std::filesystem::path& path);
/// Throws Error(resource) naming the bytes needed and free, unless `needed` bytes are free. `purpose`: "a checkpoint".
void require_free_bytes(const std::filesystem::path& path, std::uint64_t needed, std::string_view purpose);

/// "1.5 GiB"
std::string bytes_as_text(std::uint64_t bytes);

/// Lower-case hexadecimal.
std::string sha256(std::string_view bytes);
std::string sha256_file(const std::filesystem::path& file);

/// A file that grows row by row; each `append` is one write, so that others see whole rows.
class AppendFile {
 public:
  /// Opens or creates it, and cuts it to `keep` bytes where it is longer.
  AppendFile(std::filesystem::path file, std::uint64_t keep);
  explicit AppendFile(std::filesystem::path file);  // keeps everything
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&&) = delete;
  ~AppendFile();

  /// On failure (a full disk) the file is cut back to its last whole row and Error(resource) is thrown.
  void append(std::string_view bytes);
  void sync();
  std::uint64_t size() const { return size_; }
  const std::filesystem::path& path() const { return file_; }

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// An exclusive lock between processes, held from construction to destruction and released by the system when the
/// process ends.
class Lock {
 public:
  /// Throws Error(usage) "in use by pid N" when another holder has it. `what` is what the lock guards: "run folder
  /// runs/a".
  Lock(const std::filesystem::path& file, std::string_view what);
  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&&) = delete;
  ~Lock();

 private:
  int descriptor_ = -1;
};

}  // namespace rlhf
