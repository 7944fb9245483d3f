#include "rlhf/core/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "rlhf/core/atomic_file.h"
#include "rlhf/core/error.h"
#include "rlhf/core/file_error.h"
#include "rlhf/core/spelling.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  Descriptor(const fs::path& file, int flags) : number_(::open(file.c_str(), flags | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

// Names in the folder that may be what was meant by a file that is not there.
std::vector<std::string> similar_names(const fs::path& file) {
  const auto wanted = file.filename().string(), stem = file.stem().string();
  std::vector<std::pair<std::size_t, std::string>> near;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(file.has_parent_path() ? file.parent_path() : ".", ignored)) {
    const auto name = entry.path().filename().string();
    const auto distance = edit_distance(wanted, name);
    if (distance <= std::max<std::size_t>(2, wanted.size() / 3) || entry.path().stem() == stem)
      near.emplace_back(distance, name);
  }
  std::sort(near.begin(), near.end());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, near.size()); ++i) names.push_back(near[i].second);
  return names;
}

[[noreturn]] void throw_missing(const fs::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw Error({.category = Category::bad_data,
                 .where = file.string(),
                 .what = fmt::format("the folder '{}' does not exist", folder.string()),
                 .fix = ""});
  }
  const auto names = similar_names(file);
  throw Error({.category = Category::bad_data,
               .where = file.string(),
               .what = "the file does not exist",
               .fix = names.empty() ? "" : fmt::format("In that folder there is: {}.", fmt::join(names, ", "))});
}

void sync_descriptor(const fs::path& path, int flags) {
  const Descriptor descriptor(path, flags);
  if (descriptor.number() < 0) throw_file_error(path, "opened");
  if (::fsync(descriptor.number()) != 0 && errno != EINVAL)
    throw_file_error(path, "flushed to the disk");  // EINVAL: /dev, /proc
}

}  // namespace

void throw_file_error(const fs::path& file, std::string_view action) {
  const int reason = errno;
  std::string fix;
  if (reason == ENOSPC || reason == EDQUOT)
    fix = fmt::format("{} are free there. Free some space, or write to another disk.", bytes_as_text(free_bytes(file)));
  if (reason == EFBIG) fix = "The limit on file sizes is reached (ulimit -f).";
  if (reason == EACCES || reason == EPERM || reason == EROFS) fix = "Check the permissions of the file and its folder.";
  throw Error({.category = Category::resource,
               .where = file.string(),
               .what = fmt::format("the file cannot be {}: {}", action, std::strerror(reason)),
               .fix = fix});
}

std::string read_file(const fs::path& file) {
  const Descriptor descriptor(file, O_RDONLY);
  if (descriptor.number() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) throw_missing(file);
    throw_file_error(file, "opened");
  }
  struct stat about {};
  if (::fstat(descriptor.number(), &about) == 0 && S_ISDIR(about.st_mode)) {
    throw Error({.category = Category::bad_data,
                 .where = file.string(),
                 .what = "this is a folder; expected a file",
                 .fix = ""});
  }
  std::string text;
  text.reserve(static_cast<std::size_t>(about.st_size));
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const auto got = ::read(descriptor.number(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_file_error(file, "read");
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

void write_file_atomic(const fs::path& file, std::string_view text) {
  AtomicFile out(file);
  out.write(text);
  out.commit();
}

void sync_file(const fs::path& file) { sync_descriptor(file, O_RDONLY); }
void sync_folder(const fs::path& folder) { sync_descriptor(folder, O_RDONLY | O_DIRECTORY); }

void sync_tree(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory())
      sync_tree(entry.path());
    else if (entry.is_regular_file())
      sync_file(entry.path());
  }
  sync_folder(folder);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return;
  throw Error({.category = Category::resource,
               .where = folder.string(),
               .what = "the folder cannot be created: " + error.message(),
               .fix = "Check its name and the permissions of the folder above it."});
}

std::uint64_t free_bytes(const fs::path& path) {
  auto existing = fs::absolute(path);
  std::error_code ignored;
  while (!fs::exists(existing, ignored) && existing.has_parent_path() && existing != existing.parent_path()) {
    existing = existing.parent_path();
  }
  struct statvfs about {};
  if (::statvfs(existing.c_str(), &about) != 0) return 0;
  return static_cast<std::uint64_t>(about.f_bavail) * about.f_frsize;
}

void require_free_bytes(const fs::path& path, std::uint64_t needed, std::string_view purpose) {
  const auto free = free_bytes(path);
  if (free >= needed) return;
  throw Error({.category = Category::resource,
               .where = path.string(),
               .what = fmt::format("{} needs {} ({} bytes), and {} ({} bytes) are free", purpose, bytes_as_text(needed),
                                   needed, bytes_as_text(free), free),
               .fix = "Free some space, or write to another disk."});
}

std::string bytes_as_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes);
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  for (amount /= 1024; amount >= 1024 && unit < 5; amount /= 1024) ++unit;
  return fmt::format("{:.1f} {}", amount, units[unit]);
}

}  // namespace rlhf
