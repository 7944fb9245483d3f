#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/core/file_error.h"
#include "rlhf/core/files.h"

namespace rlhf {

AppendFile::AppendFile(std::filesystem::path file)
    : AppendFile(std::move(file), std::numeric_limits<std::uint64_t>::max()) {}

AppendFile::AppendFile(std::filesystem::path file, std::uint64_t keep)
    : file_(std::move(file)), descriptor_(::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  struct stat about {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &about) != 0) throw_file_error(file_, "opened");
  size_ = static_cast<std::uint64_t>(about.st_size);
  if (size_ <= keep) return;
  if (::ftruncate(descriptor_, static_cast<off_t>(keep)) != 0) throw_file_error(file_, "cut");
  size_ = keep;
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AppendFile::append(std::string_view bytes) {
  for (auto left = bytes; !left.empty();) {
    const auto written = ::write(descriptor_, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      // Half a row would spoil the file for its readers; if this fails too, the first reason is the one to tell.
      [[maybe_unused]] const int cut = ::ftruncate(descriptor_, static_cast<off_t>(size_));
      errno = reason;
      throw_file_error(file_, "written");
    }
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  size_ += bytes.size();
}

void AppendFile::sync() {
  if (::fsync(descriptor_) != 0 && errno != EINVAL) throw_file_error(file_, "flushed to the disk");
}

Lock::Lock(const std::filesystem::path& file, std::string_view what)
    : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) throw_file_error(file, "opened");
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    char holder[32] = {};
    [[maybe_unused]] const auto got = ::pread(descriptor_, holder, sizeof holder - 1, 0);
    ::close(descriptor_);
    errno = reason;
    if (reason != EWOULDBLOCK) throw_file_error(file, "locked");
    throw Error({.category = Category::usage,
                 .where = std::string(what),
                 .what = "in use by pid " + (holder[0] ? std::string(holder) : std::string("unknown")),
                 .fix = "Wait for it to end, or choose another folder with --output."});
  }
  const auto pid = std::to_string(::getpid());
  [[maybe_unused]] const int cut = ::ftruncate(descriptor_, 0);  // the pid only serves the message
  [[maybe_unused]] const auto written = ::pwrite(descriptor_, pid.data(), pid.size(), 0);
}

Lock::Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Lock::~Lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace rlhf
