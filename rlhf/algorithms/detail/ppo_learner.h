#pragma once
#include <optional>

#include "rlhf/algorithms/ppo.h"
#include "rlhf/algorithms/target_batch.h"
#include "rlhf/algorithms/trainable.h"

namespace rlhf::algorithms {

/// Policy and value head in one: the trunk runs once for both unless the value has a trunk of its own. Private to PPO.
class PpoLearner {
 public:
  PpoLearner(const PpoModels& models, const PpoConfig& config);

  /// Everything that learns, by name.
  NamedParameters parameters() const;

  /// Logprobs and values of the piece's targets under the policy as it is now.
  Readout read(const TargetBatch& piece, bool entropy) const;

  /// [targets] of the piece, under what the policy is held close to.
  Tensor reference_logprobs(const TargetBatch& piece) const;

 private:
  PpoModels models_;
  const PpoConfig& config_;
  TrainingScope policy_scope_;
  std::optional<TrainingScope> value_scope_;
  models::ScalarHead head_;
};

}  // namespace rlhf::algorithms
