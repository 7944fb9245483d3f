#include "rlhf/core/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf {
namespace {

constexpr std::size_t kBuffer = 1 << 20;

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  static std::atomic<unsigned> counter{0};
  return path.parent_path() / fmt::format(".{}.{}-{}.partial", path.filename().string(), ::getpid(), counter++);
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), temporary_(temporary_beside(path_)) {
  if (path_.has_parent_path()) {
    std::error_code ignored;  // the open below reports what went wrong
    std::filesystem::create_directories(path_.parent_path(), ignored);
  }
  std::error_code missing;
  const auto there = std::filesystem::status(path_, missing);
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there))
    throw Error({.category = Category::resource,
                 .where = path_.string(),
                 .what = "this is no ordinary file, and would be replaced by one",
                 .fix = "Name a file that is not there yet, or an ordinary one."});
  file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file_ < 0) fail("created");
  buffer_.reserve(kBuffer);
}

AtomicFile::~AtomicFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* bytes, std::size_t size) {
  const auto* start = static_cast<const char*>(bytes);
  position_ += size;
  if (buffer_.size() + size <= kBuffer) {
    buffer_.insert(buffer_.end(), start, start + size);
    return;
  }
  flush();
  while (size > 0) {
    const auto written = ::write(file_, start, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("written");
    start += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::write_zeros(std::size_t size) {
  static constexpr char zeros[64] = {};
  for (; size > 0; size -= std::min(size, sizeof zeros)) write(zeros, std::min(size, sizeof zeros));
}

void AtomicFile::flush() {
  const auto pending = std::exchange(buffer_, {});
  for (std::size_t done = 0; done < pending.size();) {
    const auto written = ::write(file_, pending.data() + done, pending.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("written");
    done += static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  flush();
  if (::fsync(file_) != 0) fail("flushed to the disk");
  if (::close(std::exchange(file_, -1)) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary_.c_str());
    errno = error;
    fail("put in place");
  }
  // The rename itself lives in the folder: without this a power cut may bring the old name back.
  const auto parent = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  const int folder = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

void AtomicFile::fail(std::string_view action) const {
  const int error = errno;
  throw Error({.category = Category::resource,
               .where = path_.string(),
               .what = "the file cannot be " + std::string(action) + ": " + std::strerror(error),
               .fix = error == ENOSPC ? "Free some space, or write to another disk."
                                      : "Check that the folder may be written to."});
}

}  // namespace rlhf
