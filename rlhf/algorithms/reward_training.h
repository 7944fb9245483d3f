#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "rlhf/algorithms/agreement.h"
#include "rlhf/algorithms/reward_head_fit.h"
#include "rlhf/algorithms/reward_model.h"
#include "rlhf/algorithms/schedule.h"
#include "rlhf/core/run.h"

namespace rlhf::algorithms {

enum class RewardTrunk {
  frozen,   // features once, then the head alone (reward_head_fit.h): seconds
  trained,  // the trunk's adapters where it has some, else all its weights, with the head (Ziegler et al. 2019)
};

struct RewardModelConfig {
  RewardTrunk trunk = RewardTrunk::frozen;
  HeadFitConfig fit;                    // frozen only
  std::int64_t epochs = 1;              // trained only, and so are the rest: passes over the comparisons
  std::int64_t batch = 32;              // comparisons per optimiser step
  std::optional<double> learning_rate;  // unset: 5e-5 for all weights, 5e-4 for adapters, which start from nothing
  ScheduleConfig schedule;              // linear to 0 by comparisons seen
  AdamConfig adam{.epsilon = 1e-5, .epsilon_form = AdamEpsilon::before_correction, .max_grad_norm = 0};
  std::int64_t micro_tokens = 2048;     // tokens per forward pass; changes memory, never the result
  bool recompute = false;               // recompute layers in the backward pass
  std::int64_t checkpoint_every = 0;    // steps; 0 = at the end only
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

struct RewardMetrics {
  Tensor loss;                             // nats per judgement
  double accuracy = 0, margin = 0;         // over (preferred, other) pairs
  double min_reward = 0, mean_reward = 0, max_reward = 0;
  double learning_rate = 0, grad_norm = 0, epoch = 0;
  std::int64_t num_tokens = 0;
  double tokens_per_second = 0;

  void log(MetricRow& row) const;
};

/// Everything a reward model learns from.
struct RewardData {
  std::span<const data::Comparison> train;
  std::span<const data::Comparison> held_out;  // may be empty
  std::span<const data::Example> samples;      // of the reference policy, for normalisation; empty = the items of `train`
};

struct RewardResult {
  PairAccuracy train, held_out;
  std::optional<HeadFit> fit;  // frozen only
  std::int64_t steps = 0;
};

/// Normalises, trains, and normalises again, as Ziegler et al. 2019 do, and measures the agreement with the labeler on held-out
/// comparisons. `trunk` is what model.trunk points to; it changes only when it is trained.
RewardResult train(RewardModel& model, models::LanguageModel& trunk, const RewardData& data, const RewardModelConfig& config,
                   const WriteModel& write_model, Run& run);

}  // namespace rlhf::algorithms
