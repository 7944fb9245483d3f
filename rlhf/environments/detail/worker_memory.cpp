#include "rlhf/environments/detail/worker_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {

SharedMemory::SharedMemory() {
  static std::atomic<int> made = 0;
  const auto name = fmt::format("/rlhf-{}-{}", ::getpid(), ++made);
  const int opened = ::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
  if (opened < 0)
    throw Error({.category = Category::resource,
                 .where = "shared memory",
                 .what = "the system gives none",
                 .fix = "Look at /dev/shm: is it there, and writable?"});
  ::shm_unlink(name.c_str());
  descriptor_ = ::fcntl(opened, F_DUPFD_CLOEXEC, 16);  // above those that a worker finds its own under
  ::close(opened);
}

SharedMemory::~SharedMemory() {
  if (data_) ::munmap(data_, bytes_);
  ::close(descriptor_);
}

void SharedMemory::allocate(std::size_t bytes) {
  // Asked for now: where the room is missing later, writing would end the process.
  void* mapped = MAP_FAILED;
  if (::posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes)) == 0)
    mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (mapped == MAP_FAILED)
    throw Error({.category = Category::resource,
                 .where = "shared memory",
                 .what = "/dev/shm has no room for " + bytes_as_text(bytes),
                 .fix = "Take fewer environments, or give it more room (in a container: --shm-size 1g)."});
  data_ = static_cast<char*>(mapped);
  bytes_ = bytes;
}

namespace {

constexpr std::size_t size_of(Dtype dtype) {
  constexpr std::size_t sizes[] = {1, 8, 4, 8};
  return sizes[static_cast<int>(dtype)];
}

std::size_t bytes_of_action(const Spec& spec) {
  if (std::holds_alternative<Discrete>(spec.action)) return sizeof(std::int64_t);
  std::size_t numbers = 1;
  for (const auto side : std::get<Box>(spec.action).shape) numbers *= static_cast<std::size_t>(side);
  return numbers * sizeof(float);
}

}  // namespace

WorkerLayout::WorkerLayout(const Spec& spec, std::int64_t count, int workers) {
  observation_bytes = observed_numbers(spec) * size_of(std::get<Box>(spec.observation).dtype);
  action_bytes = bytes_of_action(spec);
  const auto rows = static_cast<std::size_t>(count);
  std::size_t end = 0;
  const auto place = [&](std::size_t bytes) {
    const auto begin = end;
    end = (end + bytes + 63) / 64 * 64;
    return begin;
  };
  hearts = place(static_cast<std::size_t>(workers) * heart_stride);
  orders = place(rows);
  seeds = place(rows * sizeof(std::uint64_t));
  actions = place(rows * action_bytes);
  rewards = place(rows * sizeof(double));
  terminated = place(rows);
  truncated = place(rows);
  for (auto& block : observations) block = place(rows * observation_bytes);
  finals = place(rows * observation_bytes);
  total = end;
}

nlohmann::json WorkerLayout::for_worker(int worker, std::int64_t first) const {
  const auto begin = static_cast<std::size_t>(first);
  const auto heart = hearts + static_cast<std::size_t>(worker) * heart_stride;
  return {{"do", "attach"},
          {"bytes", total},
          {"heart", heart},
          {"block", heart + sizeof(std::uint64_t)},
          {"orders", orders + begin},
          {"seeds", seeds + begin * sizeof(std::uint64_t)},
          {"actions", actions + begin * action_bytes},
          {"rewards", rewards + begin * sizeof(double)},
          {"terminated", terminated + begin},
          {"truncated", truncated + begin},
          {"observations",
           {observations[0] + begin * observation_bytes, observations[1] + begin * observation_bytes}},
          {"final_observations", finals + begin * observation_bytes}};
}

}  // namespace rlhf::environments
