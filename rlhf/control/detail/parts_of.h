#pragma once
#include "rlhf/control/off_policy.h"
#include "rlhf/control/weights_file.h"

namespace rlhf::control {

/// What the loop needs of an agent whose actions are numbers, but for how it acts, learns and logs. The agent has to
/// outlive it.
OffPolicyAgent parts_of(auto& agent) {
  return {.to_environment = [&](const Tensor& actions) { return agent.range().to_environment(actions); },
          .write_model = [&](const std::filesystem::path& folder) { write_weights(folder, agent.weights()); },
          .read_model = [&](const std::filesystem::path& folder) { read_weights(folder, agent.weights()); },
          .save = [&](State& state) { agent.save(state); },
          .restore = [&](const State& state) { agent.restore(state); }};
}

}  // namespace rlhf::control
