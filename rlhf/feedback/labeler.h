#pragma once
#include "rlhf/feedback/kinds.h"

namespace rlhf::feedback {

/// Somebody who answers questions: a simulated labeler, a model, a person at a terminal.
class Labeler {
 public:
  virtual ~Labeler() = default;
  virtual Answer answer(const Question& question) = 0;
};

}  // namespace rlhf::feedback
