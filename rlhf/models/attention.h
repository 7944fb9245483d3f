#pragma once
#include <cstdint>
#include <vector>

#include "rlhf/core/tensor.h"
#include "rlhf/models/kv_cache.h"
#include "rlhf/models/rotary.h"

namespace rlhf::models {

/// Queries, keys and values of one layer for a packed batch, before rotation.
struct AttentionInput {
  Tensor queries;  // [tokens, heads, head_dim]
  Tensor keys;     // [tokens, kv_heads, head_dim]; query head h reads key head h * kv_heads / heads
  Tensor values;   // [tokens, kv_heads, head_dim]
};

/// Rotates queries and keys, then attends causally inside each sequence and never across: [tokens, heads * head_dim].
///
///   starts   [sequences + 1]
///   window   a token sees itself and the window - 1 tokens before it; 0 = all
///
/// Differentiable. Memory is linear in the tokens: no [tokens, tokens] matrix outlives its sequence.
Tensor attention(const AttentionInput& input, const RotaryTable& rotary, const std::vector<std::int64_t>& starts,
                 std::int64_t window);

/// The same for sequences that continue the cache's selected slots; appends their keys and values to `layer` of the
/// cache. The slots' lengths are advanced by the caller, once all layers are done.
Tensor cached_attention(const AttentionInput& input, const RotaryTable& rotary, const std::vector<std::int64_t>& starts,
                        std::int64_t window, KvCache& cache, std::int64_t layer);

}  // namespace rlhf::models
