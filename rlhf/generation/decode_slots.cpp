#include "rlhf/generation/decode_slots.h"

#include <algorithm>

namespace rlhf::generation {

DecodeSlots::DecodeSlots(models::KvCache& cache) : cache_(cache) {
  for (auto slot = cache.slots(); slot > 0; --slot) free_.push_back(slot - 1);
}

std::int64_t DecodeSlots::take() {
  const auto slot = free_.back();
  free_.pop_back();
  cache_.clear(slot);
  return slot;
}

void DecodeSlots::begin_group(std::size_t group, std::int64_t slot, const std::vector<std::size_t>& sequences) {
  if (sequences.empty()) {
    free_.push_back(slot);
    return;
  }
  running_.push_back({sequences.front(), group, slot});
  if (sequences.size() == 1) return;
  waiting_.push_back({group, cache_.length(slot), {sequences.begin() + 1, sequences.end()}});
  fill_free_slots();
}

void DecodeSlots::end(const std::vector<std::size_t>& sequences) {
  for (const auto sequence : sequences) {
    const auto at = std::find_if(running_.begin(), running_.end(), [&](auto& each) { return each.sequence == sequence; });
    if (at == running_.end()) {
      forget_waiting(sequence);
      continue;
    }
    const auto ended = *at;
    running_.erase(at);
    release(ended);
  }
  fill_free_slots();
}

void DecodeSlots::forget_waiting(std::size_t sequence) {
  for (auto& waiting : waiting_) std::erase(waiting.sequences, sequence);
  std::erase_if(waiting_, [](auto& waiting) { return waiting.sequences.empty(); });
}

void DecodeSlots::release(const Running& ended) {
  const auto waiting = std::find_if(waiting_.begin(), waiting_.end(), [&](auto& each) { return each.group == ended.group; });
  if (waiting == waiting_.end()) {
    free_.push_back(ended.slot);
    return;
  }
  // The front of this slot still is the group's prompt, so the next member moves in without a copy. This also keeps one
  // holder of the prompt for as long as members wait.
  cache_.truncate(ended.slot, waiting->prompt_length);
  running_.push_back({waiting->sequences.front(), ended.group, ended.slot});
  waiting->sequences.pop_front();
  if (waiting->sequences.empty()) waiting_.erase(waiting);
}

void DecodeSlots::fill_free_slots() {
  while (!waiting_.empty() && !free_.empty()) {
    auto& waiting = waiting_.front();
    const auto holder = std::find_if(running_.begin(), running_.end(), [&](auto& each) { return each.group == waiting.group; });
    const auto slot = free_.back();
    free_.pop_back();
    cache_.fork(holder->slot, slot);
    cache_.truncate(slot, waiting.prompt_length);
    running_.push_back({waiting.sequences.front(), waiting.group, slot});
    waiting.sequences.pop_front();
    if (waiting.sequences.empty()) waiting_.pop_front();
  }
}

}  // namespace rlhf::generation
