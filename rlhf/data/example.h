#pragma once
#include <cstdint>
#include <vector>

#include "rlhf/core/tokens.h"

namespace rlhf::data {

/// One row as an algorithm sees it: ragged tokens and explicit masks made from spans, never from token identity.
struct Example {
  TokenIds ids;                    // prompt followed by completion
  std::vector<std::uint8_t> mask;  // [ids], 1 = this token counts in the loss
  std::int64_t scored = -1;        // index of the token a reward model reads; -1 = none
};

}  // namespace rlhf::data
