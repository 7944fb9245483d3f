#pragma once
// The memory that we share with workers. Private to environments.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>

#include "rlhf/environments/vector.h"

namespace rlhf::environments {

/// POSIX shared memory without a name: only processes that are given its descriptor can see it, and it is gone with the
/// last of them, however that one ends.
class SharedMemory {
 public:
  /// Empty as yet. Throws rlhf::Error (resource) when the system has none.
  SharedMemory();
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  int descriptor() const { return descriptor_; }
  /// Once. Throws rlhf::Error (resource) where /dev/shm has no room for it.
  void allocate(std::size_t bytes);
  char* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  int descriptor_ = -1;
  char* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// What a worker is to do with one of its environments in a round.
enum class Order : std::uint8_t {
  rest = 0,       // nothing; we keep its row
  begin = 1,      // a new episode from its seed, whatever was going on
  next = 2,       // the episode after the one that ended
  step = 3,       // the action
  step_next = 4,  // the action, and where it ends the episode, final_observations and the next episode at once
};

/// Where everything lies in the shared memory of `count` environments in `workers` processes. Each array begins on a
/// multiple of 64 bytes; there are two blocks of observations in turn, so that a worker that dies while it writes leaves
/// what was seen before whole.
struct WorkerLayout {
  WorkerLayout(const Spec& spec, std::int64_t count, int workers);

  /// What a worker is told that plays environments begin .. begin + n - 1 of them.
  nlohmann::json for_worker(int worker, std::int64_t begin) const;

  std::size_t observation_bytes, action_bytes;  // of one environment
  std::size_t hearts, orders, seeds, actions, rewards, terminated, truncated, observations[2], finals, total;
};

/// Heart-beats (uint64) and the block to write (uint64) of each worker, 64 bytes apart.
constexpr std::size_t heart_stride = 64;

}  // namespace rlhf::environments
