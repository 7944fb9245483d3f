#pragma once
#include <chrono>
#include <cstdint>
#include <functional>

#include "rlhf/feedback/labeler.h"
#include "rlhf/feedback/store.h"

namespace rlhf::feedback {

struct CollectOptions {
  Annotator annotator{"oracle", Source::simulated};
  std::int64_t limit = 0;  // answers to give; 0 = until no question is open
  std::chrono::seconds lease{600};
  std::function<void(std::int64_t answered)> progress;  // called after each answer, when given
  std::function<bool()> stop_requested;                 // asked before each question, when given
};

/// Leases and answers question after question; returns how many were answered. When it throws, the question it was at
/// is released.
std::int64_t answer_all(Store& store, Labeler& labeler, const CollectOptions& options = {});

}  // namespace rlhf::feedback
