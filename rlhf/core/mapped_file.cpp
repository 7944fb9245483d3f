#include "rlhf/core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf {
namespace {

[[noreturn]] void cannot_open(const std::filesystem::path& path, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  throw Error(
      {.category = missing ? Category::bad_data : Category::resource,
       .where = path.string(),
       .what = missing ? std::string("there is no such file") : std::string("cannot be read: ") + std::strerror(error),
       .fix = missing ? "Check the path." : ""});
}

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

}  // namespace

MappedFile MappedFile::open(const std::filesystem::path& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status{};
  if (file.number < 0 || ::fstat(file.number, &status) != 0) cannot_open(path, errno);
  if (!S_ISREG(status.st_mode))
    throw Error({.category = Category::bad_data, .where = path.string(), .what = "is not a regular file", .fix = ""});
  const auto size = static_cast<std::size_t>(status.st_size);
  MappedFile mapped;
  mapped.name_ = path.string();
  if (size == 0) return mapped;
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.number, 0);
  if (address == MAP_FAILED) cannot_open(path, errno);
  mapped.owner_ =
      std::shared_ptr<const void>(address, [size](const void* start) { ::munmap(const_cast<void*>(start), size); });
  mapped.bytes_ = {static_cast<const std::byte*>(address), size};
  return mapped;
}

MappedFile MappedFile::from_bytes(std::string bytes, std::string name) {
  auto held = std::make_shared<const std::string>(std::move(bytes));
  MappedFile mapped;
  mapped.name_ = std::move(name);
  mapped.bytes_ = {reinterpret_cast<const std::byte*>(held->data()), held->size()};
  mapped.owner_ = std::move(held);
  return mapped;
}

}  // namespace rlhf
