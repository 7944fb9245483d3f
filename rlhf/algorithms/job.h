#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/core/run.h"

namespace rlhf::algorithms {

/// What the command line runs: it owns its model, data and reward settings, and calls a pure `train(...)` with them.
struct Job {
  virtual ~Job() = default;
  virtual void fields(Fields& f) = 0;
  virtual void run(Run& run) = 0;
};

}  // namespace rlhf::algorithms
