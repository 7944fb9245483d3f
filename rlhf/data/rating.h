#pragma once
#include "rlhf/core/tokens.h"

namespace rlhf::data {

/// One completion and the number somebody gave it, as a reward model learns from it by regression.
struct Rating {
  TokenIds prompt;
  TokenIds completion;
  double value = 0.0;  // in units of the scale that was shown
};

}  // namespace rlhf::data
