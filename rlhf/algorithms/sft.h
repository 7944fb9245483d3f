#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "rlhf/algorithms/optimizer.h"
#include "rlhf/algorithms/schedule.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/run.h"
#include "rlhf/core/tensor.h"
#include "rlhf/data/example.h"
#include "rlhf/models/language_model.h"

namespace rlhf::algorithms {

/// Supervised fine-tuning: predict the tokens of demonstrations that carry loss.
struct SftConfig {
  std::int64_t epochs = 1;
  std::int64_t batch = 8;               // examples per optimiser step
  std::optional<double> learning_rate;  // unset: 2e-5 for all weights, 2e-4 for adapters, which start from nothing
  ScheduleConfig schedule;
  AdamConfig adam;
  std::int64_t micro_tokens = 2048;     // tokens per forward pass; changes memory, never the result
  bool recompute = false;               // recompute layers in the backward pass: less memory, a third more time
  std::int64_t evaluate_every = 0;      // steps between calls of the evaluation; 0 = never
  std::int64_t checkpoint_every = 0;    // steps; 0 = at the end only
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

struct SftLoss {
  Tensor loss;  // [], nats per token
};

/// Mean negative log-likelihood of the targets.
///   logprobs  [targets]
/// `denominator`: targets of the whole optimiser step when these are only a piece of it; 0 = as many as there are here.
SftLoss sft_loss(const Tensor& logprobs, double denominator = 0);

struct SftMetrics {
  Tensor loss, entropy;         // nats per token
  Tensor mean_token_accuracy;   // share of targets that were the model's first choice
  double learning_rate = 0, grad_norm = 0, epoch = 0;
  std::int64_t num_tokens = 0;  // packed tokens seen since the beginning
  double tokens_per_second = 0;

  void log(MetricRow& row) const;
};

struct SftHooks {
  WriteModel write_model;                          // writes the checkpoint's model folder
  std::function<void(std::int64_t step)> evaluate;  // may be empty
};

struct SftResult {
  std::int64_t steps = 0;
  double loss = 0;  // of the last step, nats per token
};

/// Trains the adapters where the model has some, all weights where it has none. Goes on from the run's checkpoint to the
/// same bits. Returns early, with a checkpoint, when the run is asked to stop.
SftResult train(models::LanguageModel& model, std::span<const data::Example> examples, const SftConfig& config,
                const SftHooks& hooks, Run& run);

}  // namespace rlhf::algorithms
