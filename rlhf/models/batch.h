#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "rlhf/core/tensor.h"
#include "rlhf/core/tokens.h"

namespace rlhf::models {

/// Sequences laid end to end. There is no padding: `starts` says where each sequence begins, and attention is
/// block-diagonal over it by construction.
struct Batch {
  Tensor ids;                        // [tokens], int64
  Tensor positions;                  // [tokens], int64: place of each token in its own sequence
  std::vector<std::int64_t> starts;  // [sequences + 1]; starts.front() == 0, starts.back() == tokens

  std::int64_t sequences() const { return static_cast<std::int64_t>(starts.size()) - 1; }
  std::int64_t tokens() const { return starts.back(); }
};

/// Packs sequences in the order given. Throws rlhf::Error when there is none or one of them is empty.
Batch pack(std::span<const TokenIds> sequences);

}  // namespace rlhf::models
