#pragma once
#include <limits>

#include "rlhf/environments/environment.h"

namespace rlhf::control {

/// A spec for agents that are updated on made-up data: three numbers seen.
inline environments::Spec small_spec(environments::Space action) {
  constexpr double free = std::numeric_limits<double>::infinity();
  return {.name = "small",
          .observation = environments::Box{.shape = {3}, .low = {-free}, .high = {free}},
          .action = std::move(action)};
}

}  // namespace rlhf::control
