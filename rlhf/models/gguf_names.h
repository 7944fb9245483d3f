#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "rlhf/core/tensor.h"

namespace rlhf::models {

/// The GGUF name of a weight: ("model.layers.3.mlp.up_proj.weight") -> "blk.3.ffn_up.weight". Nothing for a name that
/// no family of this library has.
std::optional<std::string> gguf_name(const std::string& hugging_face_name);

/// What GGUF changes in a tensor beside its name: the Llama architecture stores the rows of queries and keys for a
/// rotary embedding that turns neighbours (2j, 2j + 1) instead of (j, j + head_dim / 2); GPT-2's linear layers lie the
/// other way round.
///
///   heads, kv_heads  of the model
/// Both functions are inverse to each other.
Tensor to_gguf_layout(const std::string& architecture, const std::string& hugging_face_name, const Tensor& weight,
                      std::int64_t heads, std::int64_t kv_heads);
Tensor from_gguf_layout(const std::string& architecture, const std::string& hugging_face_name, const Tensor& weight,
                        std::int64_t heads, std::int64_t kv_heads);

}  // namespace rlhf::models
