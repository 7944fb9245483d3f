#pragma once
#include <cstdint>
#include <vector>

namespace rlhf {

/// An index into a tokenizer's vocabulary. Signed and 64 bits wide, as LibTorch's index tensors are.
using TokenId = std::int64_t;
using TokenIds = std::vector<TokenId>;

}  // namespace rlhf
