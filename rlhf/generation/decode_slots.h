#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "rlhf/models/kv_cache.h"

namespace rlhf::generation {

/// Which sequence owns which slot of a cache. Sequences of one group continue one prompt: as soon as the first of them is
/// prefilled, the others take the prompt's keys and values from any slot that still holds them.
class DecodeSlots {
 public:
  explicit DecodeSlots(models::KvCache& cache);

  struct Running {
    std::size_t sequence = 0;
    std::size_t group = 0;
    std::int64_t slot = 0;
  };

  bool any_free() const { return !free_.empty(); }

  /// An empty slot for a group's prompt; call begin_group for it after the prefill.
  std::int64_t take();

  /// Starts sequences that continue the prompt now held by `slot` (one that take() gave): the first in that slot, the
  /// others in free slots as copies, the rest as slots become free. With no sequence the slot is free again.
  void begin_group(std::size_t group, std::int64_t slot, const std::vector<std::size_t>& sequences);

  /// Those that get the next decoding step, in the order they began.
  const std::vector<Running>& running() const { return running_; }

  /// Removes sequences, whether they run or wait; waiting members of their groups move in, then those of other groups.
  void end(const std::vector<std::size_t>& sequences);

 private:
  struct Waiting {
    std::size_t group;
    std::int64_t prompt_length;
    std::deque<std::size_t> sequences;
  };

  void release(const Running& ended);
  void forget_waiting(std::size_t sequence);
  void fill_free_slots();

  models::KvCache& cache_;
  std::vector<std::int64_t> free_;  // the last one is handed out next
  std::vector<Running> running_;
  std::deque<Waiting> waiting_;     // groups with members that have no slot yet, oldest first
};

}  // namespace rlhf::generation
