#include "tests/feedback/faulty_disk.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace rlhf::feedback {
namespace {
constexpr std::size_t sector = 512;
}

/// SQLite's file, with the real one behind it in the same piece of memory.
struct FaultyDisk::File {
  sqlite3_file base;
  FaultyDisk* disk;
  Content* content;  // none for a file that need not survive
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

struct FaultyDisk::Methods {
  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  static sqlite3_file* real(sqlite3_file* file) { return of(file).real(); }

  static int close(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }
  static int read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
    if (const int code = of(file).disk->before(Operation::read)) return code;
    return real(file)->pMethods->xRead(real(file), to, amount, offset);
  }
  static int write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
    auto& self = of(file);
    const int code = self.disk->before(Operation::write);
    if (code != SQLITE_OK) amount /= 2;
    {
      const std::lock_guard guard(self.disk->mutex_);
      if (self.content) {
        const std::string bytes(static_cast<const char*>(from), static_cast<std::size_t>(amount));
        for (std::size_t at = 0; at < bytes.size(); at += sector)
          self.content->pending.push_back({offset + static_cast<std::int64_t>(at), bytes.substr(at, sector), false});
      }
    }
    const int written = real(file)->pMethods->xWrite(real(file), from, amount, offset);
    return code != SQLITE_OK ? code : written;
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    auto& self = of(file);
    {
      const std::lock_guard guard(self.disk->mutex_);
      if (self.content) self.content->pending.push_back({size, "", true});
    }
    return real(file)->pMethods->xTruncate(real(file), size);
  }
  static int sync(sqlite3_file* file, int) {
    auto& self = of(file);
    if (const int code = self.disk->before(Operation::sync)) return code;
    const std::lock_guard guard(self.disk->mutex_);
    if (!self.content || self.disk->lies) return SQLITE_OK;
    for (const auto& change : self.content->pending) apply(self.content->synced, change);
    self.content->pending.clear();
    return SQLITE_OK;
  }
  static int size(sqlite3_file* file, sqlite3_int64* size) { return real(file)->pMethods->xFileSize(real(file), size); }
  static int lock(sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); }
  static int unlock(sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
  static int reserved(sqlite3_file* file, int* out) {
    return real(file)->pMethods->xCheckReservedLock(real(file), out);
  }
  static int control(sqlite3_file* file, int what, void* with) {
    return real(file)->pMethods->xFileControl(real(file), what, with);
  }
  static int sectors(sqlite3_file*) { return sector; }
  static int traits(sqlite3_file*) { return 0; }  // promises nothing: neither atomic nor in order
  static int map(sqlite3_file* file, int page, int size, int extend, void volatile** to) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, to);
  }
  static int shared_lock(sqlite3_file* file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
  }
  static void barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
  static int unmap(sqlite3_file* file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); }

  static constexpr sqlite3_io_methods table{2,           close,   read,     write,   truncate, sync,   size,
                                            lock,        unlock,  reserved, control, sectors,  traits, map,
                                            shared_lock, barrier, unmap,    nullptr, nullptr};

  static FaultyDisk& disk(sqlite3_vfs* vfs) { return *static_cast<FaultyDisk*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    auto& self = of(file);
    self.base.pMethods = nullptr;
    self.disk = &disk(vfs);
    self.content = nullptr;
    const int code = self.disk->below_->xOpen(self.disk->below_, name, self.real(), flags, out);
    if (code != SQLITE_OK) return code;
    constexpr int lasting = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
    if (name && (flags & lasting)) {
      const std::lock_guard guard(self.disk->mutex_);
      self.content = &self.disk->contents_[name];
    }
    self.base.pMethods = &table;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int sync) {
    auto& self = disk(vfs);
    const std::lock_guard guard(self.mutex_);
    self.contents_[name] = {};
    return self.below_->xDelete(self.below_, name, sync);
  }
};

FaultyDisk::FaultyDisk() : below_(sqlite3_vfs_find(nullptr)) {
  vfs_ = *below_;
  vfs_.zName = "faulty";
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + below_->szOsFile;
  vfs_.xOpen = Methods::open;
  vfs_.xDelete = Methods::remove;
  sqlite3_vfs_register(&vfs_, 1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(below_, 1);
}

int FaultyDisk::before(Operation operation) {
  std::function<int(Operation)> asked;
  {
    const std::lock_guard guard(mutex_);
    ++operations_;
    asked = fault;
  }
  return asked ? asked(operation) : SQLITE_OK;
}

void FaultyDisk::apply(std::string& content, const Change& change) {
  const auto offset = static_cast<std::size_t>(change.offset);
  if (change.cut) return content.resize(std::min(content.size(), offset));
  if (content.size() < offset + change.bytes.size()) content.resize(offset + change.bytes.size());
  content.replace(offset, change.bytes.size(), change.bytes);
}

void FaultyDisk::cut_power(const std::filesystem::path& folder, const std::filesystem::path& found,
                           const std::function<bool()>& coin) {
  std::filesystem::create_directories(found);
  const std::lock_guard guard(mutex_);
  for (const auto& [path, content] : contents_) {
    if (std::filesystem::path(path).parent_path() != folder) continue;
    auto left = content.synced;
    for (const auto& change : content.pending) {
      if (coin()) apply(left, change);
    }
    if (left.empty()) continue;
    std::ofstream(found / std::filesystem::path(path).filename(), std::ios::binary) << left;
  }
}

}  // namespace rlhf::feedback
