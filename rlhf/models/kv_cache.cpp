#include "rlhf/models/kv_cache.h"

#include <ATen/ops/empty.h>

#include <cstring>

namespace rlhf::models {

KvCache::KvCache(std::int64_t layers, std::int64_t slots, std::int64_t capacity, std::int64_t kv_heads,
                 std::int64_t head_dim)
    : capacity_(capacity), lengths_(slots, 0) {
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    keys_.push_back(at::empty({slots, capacity, kv_heads, head_dim}, at::kFloat));
    values_.push_back(at::empty({slots, capacity, kv_heads, head_dim}, at::kFloat));
  }
}

void KvCache::fork(std::int64_t from, std::int64_t to) {
  for (auto* tensors : {&keys_, &values_}) {
    for (auto& tensor : *tensors) {
      auto* data = tensor.mutable_data_ptr<float>();
      const auto slot_size = tensor.stride(0);
      std::memcpy(data + to * slot_size, data + from * slot_size, sizeof(float) * lengths_[from] * tensor.stride(1));
    }
  }
  lengths_[to] = lengths_[from];
}

}  // namespace rlhf::models
