#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include "rlhf/control/reward_ensemble.h"

namespace rlhf::control {

void RewardEnsemble::save(State& state, const std::string& prefix) const {
  auto record = nlohmann::json{{"version", version_}, {"members", nlohmann::json::array()}};
  for (std::size_t m = 0; m < members_.size(); ++m) {
    const auto& member = members_[m];
    const auto name = prefix + "." + std::to_string(m);
    for (const auto& [weight_name, weight] : member.network->weights())
      state.tensors[name + "." + weight_name] = weight.detach();
    member.optimizer->save(state, name + ".optimizer");
    record["members"].push_back({member.mean, member.deviation, member.l2, member.updates});
  }
  state.values[prefix] = record;
}

void RewardEnsemble::restore(const State& state, const std::string& prefix) {
  const at::NoGradGuard no_gradient;
  const auto& record = state.values.at(prefix);
  version_ = record.at("version");
  for (std::size_t m = 0; m < members_.size(); ++m) {
    auto& member = members_[m];
    const auto name = prefix + "." + std::to_string(m);
    for (auto& [weight_name, weight] : member.network->weights())
      weight.copy_(state.tensors.at(name + "." + weight_name));
    member.optimizer->restore(state, name + ".optimizer");
    const auto& numbers = record.at("members").at(m);
    member.mean = numbers.at(0);
    member.deviation = numbers.at(1);
    member.l2 = numbers.at(2);
    member.updates = numbers.at(3);
  }
}

}  // namespace rlhf::control
