#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace rlhf::feedback {

/// A disk under SQLite that keeps what a real one keeps: of what was written since the last sync, a power cut leaves
/// any part, sector by sector. It can also fail on purpose. While it lives, every SQLite file of the program is on it.
class FaultyDisk {
 public:
  enum class Operation { read, write, sync };

  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;

  /// Asked before every operation; SQLITE_OK lets it happen, another code is what SQLite is told. A write that fails
  /// has written the first half.
  std::function<int(Operation)> fault;

  /// Says that it has synced, and has not: what a broken disk, or a careless program, would do.
  bool lies = false;

  /// The files of a folder as they would be found after a power cut now. `coin` decides which unsynced sectors arrived.
  void cut_power(const std::filesystem::path& folder, const std::filesystem::path& found,
                 const std::function<bool()>& coin);

  std::int64_t operations() const { return operations_; }

 private:
  struct Change {
    std::int64_t offset;
    std::string bytes;  // of a write
    bool cut;           // to `offset` bytes
  };
  struct Content {
    std::string synced;
    std::vector<Change> pending;
  };
  struct File;
  struct Methods;
  static void apply(std::string& content, const Change& change);
  int before(Operation operation);

  sqlite3_vfs vfs_{};
  sqlite3_vfs* below_;
  std::mutex mutex_;
  std::map<std::string, Content> contents_;  // by path; -shm is memory, not disk
  std::int64_t operations_ = 0;
};

}  // namespace rlhf::feedback
