#pragma once
#include <cstdint>
#include <vector>

#include "rlhf/core/tokens.h"

namespace rlhf::data {

/// One judgement on the completions of one prompt, as a reward model learns from it. A pair is the case of two items.
struct Comparison {
  TokenIds prompt;
  std::vector<TokenIds> items;  // completions in the order they were made, not the order shown
  std::int64_t best = 0;        // index of the preferred item
  bool tie = false;             // pairs only: no preference; `best` is then ignored
  double strength = 1.0;        // weight of the judgement, > 0
};

}  // namespace rlhf::data
