#pragma once
#include "rlhf/control/action_range.h"
#include "rlhf/control/off_policy.h"

namespace rlhf::control {

/// What agents that learn from recorded episodes alone have in common: nobody acts, so a step is an update.
struct OfflineConfig {
  std::int64_t updates = 100000;
  std::int64_t batch = 256;  // rows of a minibatch
  double gamma = 0.99;
  std::int64_t report_every = 1000;   // updates
  std::int64_t checkpoint_every = 0;  // updates; 0 = at the end only
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

/// Episodes as a buffer to draw minibatches from. `range`: where there is one, actions are brought from the
/// environment's units to within ±1, where agents act. Throws rlhf::Error (check) for episodes of another spec.
Replay recorded(const environments::Spec& spec, std::span<const data::Trajectory> episodes, const OfflineConfig& config,
                const ActionRange* range = nullptr);

/// Learns from the buffer; goes on from the run's checkpoint to the same bits. Of the agent's parts `act` and
/// `to_environment` are not needed.
void train_offline(const OffPolicyAgent& agent, const Replay& recorded, const OfflineConfig& config, Run& run);

}  // namespace rlhf::control
