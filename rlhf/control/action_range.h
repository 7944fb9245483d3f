#pragma once
#include "rlhf/core/tensor.h"
#include "rlhf/environments/environment.h"

namespace rlhf::control {

/// Where the actions of a Box lie: agents act within ±1, environments within their bounds.
struct ActionRange {
  /// Throws rlhf::Error (usage) for an environment whose actions are choices or have no bounds.
  explicit ActionRange(const environments::Spec& spec);

  Tensor to_environment(const Tensor& actions) const;  // [rows, numbers]
  std::int64_t numbers() const { return middle.numel(); }

  Tensor middle, half;  // [numbers]
};

}  // namespace rlhf::control
