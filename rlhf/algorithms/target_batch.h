#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "rlhf/core/tensor.h"
#include "rlhf/data/example.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/heads.h"
#include "rlhf/models/language_model.h"

namespace rlhf::algorithms {

/// Packed examples and the places where they predict a token that counts. Logits are made nowhere else.
struct TargetBatch {
  models::Batch batch;
  Tensor rows;                        // [targets], int64: where in the batch the prediction is made, one before its target
  Tensor targets;                     // [targets], int64: the token that came
  std::vector<std::int64_t> starts;   // [examples + 1], over targets
  std::vector<std::int64_t> items;    // [examples]: which of the caller's examples these are

  std::int64_t size() const { return starts.back(); }
};

/// Packs the examples that `items` names. A token counts where its mask is 1; the first token of an example never does,
/// since nothing predicts it. Throws rlhf::Error when ids and mask differ in length or no token counts.
TargetBatch pack_targets(std::span<const data::Example> examples, std::span<const std::int64_t> items);

/// [targets] of `batch` taken from `values` [all targets of all examples], where example i has starts[i] .. starts[i+1].
Tensor take_targets(const Tensor& values, std::span<const std::int64_t> starts, const TargetBatch& batch);

/// The opposite: writes the batch's [targets] to their places in `values`.
void put_targets(const Tensor& values, std::span<const std::int64_t> starts, const TargetBatch& batch, const Tensor& from);

struct ReadoutOptions {
  double temperature = 1.0;
  bool entropy = false;
  bool sum_only = false;                      // the loss depends on the sum of the logprobs alone (models/token_logprobs.h)
  bool adapters = true;                       // false: the reference policy of a LoRA run
  bool checkpoint = false;                    // recompute layers in the backward pass
  const models::ScalarHead* value = nullptr;  // also the value of each state, from the same forward pass
};

/// What one forward pass says at the targets.
struct Readout {
  Tensor logprobs;  // [targets], nats
  Tensor entropy;   // [targets], nats; undefined unless asked for
  Tensor likeliest; // [targets], bool: the target is what greedy decoding would have chosen
  Tensor values;    // [targets]; undefined without a head
  Tensor hidden;    // [targets, width]
};

Readout read_out(const models::LanguageModel& model, const TargetBatch& batch, const ReadoutOptions& options = {});

}  // namespace rlhf::algorithms
