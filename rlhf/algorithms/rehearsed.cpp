#include "rlhf/algorithms/rehearsed.h"

#include "rlhf/core/require.h"
#include "rlhf/environments/scripted_agent.h"

namespace rlhf::algorithms {

void RehearsedConfig::validate() const {
  const auto share = [](double value) { return value >= 0 && value <= 1; };
  require_setting(episodes >= 1, "episodes", "Give 1 or more.");
  require_setting(share(bad), "bad", "Give a share from 0 to 1.");
  require_setting(share(middling), "middling", "Give a share from 0 to 1.");
  require_setting(share(good), "good", "Give a share from 0 to 1.");
}

Rehearsed::Rehearsed(const environments::Spec& spec, double before, const RehearsedConfig& config)
    : config_(config),
      first_(environments::with_noise(environments::scripted_agent(spec), spec, before)),
      then_(environments::with_noise(environments::scripted_agent(spec), spec, config.middling)),
      before_(derive(config.seed, {hash("rehearsed.before")})),
      after_(derive(config.seed, {hash("rehearsed.after")})) {
  config.validate();
}

data::Action Rehearsed::act(const data::Array& observation) {
  return episodes_ < config_.episodes ? first_(observation, before_) : then_(observation, after_);
}

void Rehearsed::observe(const LiveStep& step) { episodes_ += step.last; }

std::string Rehearsed::state() const {
  std::string bytes;
  for (const auto number : {before_.position(), after_.position(), static_cast<std::uint64_t>(episodes_)})
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  return bytes;
}

}  // namespace rlhf::algorithms
