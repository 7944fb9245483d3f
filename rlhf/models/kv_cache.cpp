#include "rlhf/models/kv_cache.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <sys/mman.h>

#include <cstring>

#include "rlhf/core/error.h"

namespace rlhf::models {
namespace {

/// Memory of its own that becomes real page by page, small ones.
Tensor growing(const std::vector<std::int64_t>& sizes) {
  std::size_t bytes = sizeof(float);
  for (const auto size : sizes) bytes *= static_cast<std::size_t>(size);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    throw Error({.category = Category::resource,
                 .where = "keys and values",
                 .what = "there is no room for them",
                 .fix = "Use fewer slots or a shorter context."});
#ifdef MADV_NOHUGEPAGE
  madvise(memory, bytes, MADV_NOHUGEPAGE);  // a hint: what refuses it is only slower
#endif
  return at::from_blob(memory, sizes, [bytes](void* address) { munmap(address, bytes); }, at::kFloat);
}

}  // namespace

KvCache::KvCache(std::int64_t layers, std::int64_t slots, std::int64_t capacity, std::int64_t kv_heads,
                 std::int64_t head_dim, bool seldom_full)
    : capacity_(capacity), lengths_(slots, 0) {
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    for (auto* tensors : {&keys_, &values_}) {
      const std::vector sizes = {slots, capacity, kv_heads, head_dim};
      tensors->push_back(seldom_full ? growing(sizes) : at::empty(sizes, at::kFloat));
    }
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
