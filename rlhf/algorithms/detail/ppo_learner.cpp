#include "rlhf/algorithms/detail/ppo_learner.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/index_select.h>

#include "rlhf/models/heads.h"

namespace rlhf::algorithms {

PpoLearner::PpoLearner(const PpoModels& models, const PpoConfig& config)
    : models_(models), config_(config), policy_scope_(models.policy),
      head_(models::zero_head((models.value ? *models.value : models.policy).shape().width)) {
  if (models.value) value_scope_.emplace(*models.value);
  head_.weight.set_requires_grad(true);
  head_.bias.set_requires_grad(true);
}

NamedParameters PpoLearner::parameters() const {
  NamedParameters all = policy_scope_.parameters();
  if (value_scope_)
    for (const auto& [name, tensor] : value_scope_->parameters()) all.emplace_back("value." + name, tensor);
  all.emplace_back("value_head.weight", head_.weight);
  all.emplace_back("value_head.bias", head_.bias);
  return all;
}

Readout PpoLearner::read(const TargetBatch& piece, bool entropy) const {
  const ReadoutOptions options{.temperature = config_.sampling.temperature, .entropy = entropy, .checkpoint = config_.recompute,
                               .value = models_.value ? nullptr : &head_};
  Readout readout = read_out(models_.policy, piece, options);
  readout.hidden.reset();
  if (models_.value) {
    const auto all = models_.value->forward(piece.batch, {.checkpoint = config_.recompute});
    readout.values = head_.apply(all.index_select(0, piece.rows));
  }
  return readout;
}

Tensor PpoLearner::reference_logprobs(const TargetBatch& piece) const {
  const at::NoGradGuard no_grad;
  const bool own = models_.reference == nullptr;
  return read_out(own ? models_.policy : *models_.reference, piece,
                  {.temperature = config_.sampling.temperature, .adapters = !own}).logprobs;
}

}  // namespace rlhf::algorithms
