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

/// Has the numbers that an agent logs outlive a checkpoint, so that a resumed run's metrics are an uninterrupted one's.
inline void keep_log(OffPolicyAgent& parts, std::vector<double*> numbers) {
  parts.save = [save = parts.save, numbers](State& state) {
    save(state);
    auto& log = state.values["log"] = nlohmann::json::array();
    for (const auto* number : numbers) log.push_back(*number);
  };
  parts.restore = [restore = parts.restore, numbers](const State& state) {
    restore(state);
    const auto& log = state.values.at("log");
    for (std::size_t i = 0; i < numbers.size(); ++i) *numbers[i] = log.at(i);
  };
}

}  // namespace rlhf::control
