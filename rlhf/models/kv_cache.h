#pragma once
#include <cstdint>
#include <vector>

#include "rlhf/core/tensor.h"

namespace rlhf::models {

/// Keys and values of a set of running sequences. Each sequence owns a slot; a slot is a run of rows in every layer.
///
/// A forward pass with a cache appends: sequence i of the batch continues the slot `slots[i]` at its present length.
class KvCache {
 public:
  /// layers x [slots, capacity, kv_heads, head_dim], float32. `capacity` is the longest sequence a slot can hold. Where
  /// slots are `seldom_full`, memory is taken in small pages as sequences grow: a huge page for the first token of each
  /// slot in each layer is a gigabyte to clear.
  KvCache(std::int64_t layers, std::int64_t slots, std::int64_t capacity, std::int64_t kv_heads, std::int64_t head_dim,
          bool seldom_full = false);

  std::int64_t slots() const { return static_cast<std::int64_t>(lengths_.size()); }
  std::int64_t capacity() const { return capacity_; }
  std::int64_t length(std::int64_t slot) const { return lengths_[slot]; }

  /// Empties a slot, so that a new sequence may start in it.
  void clear(std::int64_t slot) { lengths_[slot] = 0; }

  /// Copies the keys and values of `from` to `to`: a group of samples shares the work done on its prompt.
  void fork(std::int64_t from, std::int64_t to);

  /// Shortens a slot to `length` tokens.
  void truncate(std::int64_t slot, std::int64_t length) { lengths_[slot] = length; }

  /// The slots that the sequences of the next forward pass continue, one a sequence.
  void select(std::vector<std::int64_t> slots) { selected_ = std::move(slots); }
  const std::vector<std::int64_t>& selected() const { return selected_; }

  // Used by the models' attention.
  Tensor& keys(std::int64_t layer) { return keys_[layer]; }
  Tensor& values(std::int64_t layer) { return values_[layer]; }
  /// Each selected slot has become longer by its sequence of a packed batch.
  void advance(const std::vector<std::int64_t>& starts) {
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) lengths_[selected_[i]] += starts[i + 1] - starts[i];
  }

 private:
  std::int64_t capacity_;
  std::vector<Tensor> keys_, values_;
  std::vector<std::int64_t> lengths_, selected_;
};

}  // namespace rlhf::models
