#pragma once
#include <ATen/ops/argmax.h>

#include "rlhf/control/dqn.h"

namespace rlhf::control {

/// What an agent of values over choices does best for what it sees, [rows].
inline constexpr auto best_choice = [](const QNetwork& network, const Tensor& seen) {
  return at::argmax(network.values(seen), 1);
};
/// The same of one whose actions are numbers, in the environment's range.
inline constexpr auto best_numbers = [](const auto& agent, const Tensor& seen) {
  return agent.range().to_environment(agent.best(seen));
};

}  // namespace rlhf::control
