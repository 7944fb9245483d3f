#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "rlhf/algorithms/kl.h"
#include "rlhf/algorithms/optimizer.h"
#include "rlhf/algorithms/prompt_stream.h"
#include "rlhf/algorithms/returns.h"
#include "rlhf/algorithms/rollout.h"
#include "rlhf/algorithms/schedule.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/run.h"
#include "rlhf/generation/sampler.h"
#include "rlhf/models/language_model.h"
#include "rlhf/rewards/score.h"

namespace rlhf::algorithms {

/// PPO against a score and a KL penalty to the reference policy (Ziegler et al. 2019, arXiv:1909.08593; clipping from Schulman et
/// al. 2017, arXiv:1707.06347). Defaults are those of the code released with the former, unless said otherwise.
struct PpoConfig {
  std::int64_t steps = 100;             // batches of completions
  std::int64_t batch = 64;              // completions per step
  std::int64_t epochs = 4;              // passes over one batch
  std::int64_t minibatches = 1;         // optimiser steps per pass
  std::optional<double> learning_rate;  // unset: 5e-6 for all weights, 1e-3 for adapters, which start from nothing
  ScheduleConfig schedule;              // by step, not by optimiser step: linear to 0
  AdamConfig adam{.epsilon = 1e-5, .epsilon_form = AdamEpsilon::before_correction, .max_grad_norm = 0};
  double clip = 0.2;                    // ratio kept within 1 ± clip
  double value_clip = 0.2;              // value kept within ± this of the old one, in units of the return
  double value_coefficient = 0.1;       // weight of the value loss
  GaeConfig gae;
  bool whiten_advantages = true;        // mean 0, variance 1 over a minibatch
  bool whiten_rewards = true;           // variance 1 over a minibatch, mean kept; needs 8 completions in one
  KlConfig kl;
  StopConfig stop;
  /// true: tokens behind the stop token are hidden from the reward only; KL, whitening and losses use every sampled token, and
  /// the score sits on the last of them, as in the released code. false: a completion ends at its stop token.
  bool as_published = false;
  generation::SamplingConfig sampling{.max_new_tokens = 24};  // its temperature divides the logits of the losses, too
  std::int64_t micro_tokens = 2048;     // tokens per forward pass; changes memory, never the result
  bool recompute = false;               // recompute layers in the backward pass: less memory, a third more time
  bool sign_test = true;                // refuse to start when the reward prefers the known-bad sample
  std::int64_t samples = 4;             // completions per step written to samples.jsonl
  std::int64_t evaluate_every = 0;      // steps between evaluations; 0 = never
  std::int64_t checkpoint_every = 0;    // steps; 0 = at the end only
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

/// Names are those of TRL's PPO trainer where it has them.
struct PpoMetrics {
  double kl = 0, coefficient = 0;             // nats per completion; reward per nat
  double scores = 0, rlhf_reward = 0;         // mean score; the same with the KL penalty
  double entropy = 0, policy_entropy = 0;     // -sum of logprobs per completion; mean entropy of a token's distribution, nats
  double score_std = 0, completion_length = 0, stopped = 0;  // spread; mean tokens; share with an end
  double explained_variance = 0;              // of the returns, by the values the batch was made with
  double mismatch_mean = 0, mismatch_max = 0;  // |logprob when sampled - when trained|, nats
  double ratio_start = 0;                     // largest |ratio - 1| before the first update: exactly 0
  Tensor approx_kl, clip_fraction, policy_loss, value_loss, value_clip_fraction, ratio, ratio_max;  // means over all updates
  double learning_rate = 0, grad_norm = 0;    // of the last update
  std::int64_t episodes = 0;                  // completions so far
  double generate_seconds = 0, reward_seconds = 0, train_seconds = 0;
  double generated_per_second = 0, trained_per_second = 0;  // tokens

  void log(MetricRow& row) const;
};

/// Who learns from whom. The policy's adapters are trained where it has some, else all its weights.
struct PpoModels {
  models::LanguageModel& policy;
  const models::LanguageModel* reference = nullptr;  // null: the policy with its adapters off
  models::LanguageModel* value = nullptr;            // null: the value head reads the policy's own trunk
};

/// A sample that any sensible reward prefers to another: a flipped sign is found before it costs a night.
struct SignTest {
  data::Prompt prompt;
  data::Completion good, bad;
};

/// What PPO needs from the world around it.
struct PpoHooks {
  /// `config.sampling.num` completions a prompt, ordered by prompt, from the policy as it is now.
  std::function<std::vector<data::Completion>(std::span<const data::Prompt>, std::int64_t policy_version)> generate;
  rewards::RewardFn reward;
  WriteModel write_model;                           // writes the checkpoint's model folder
  std::function<void(std::int64_t step)> evaluate;  // may be empty
  DecodeFn decode;                                  // needed where stop.tokens cuts completions
  std::optional<SignTest> sign_test;
};

struct PpoResult {
  std::int64_t steps = 0;
  PpoMetrics last;
};

/// Goes on from the run's checkpoint to the same bits. Returns early, with a checkpoint, when the run is asked to stop.
/// At step 0 of a policy that starts as its reference the KL is exactly 0 and every ratio exactly 1; otherwise it throws.
PpoResult train(const PpoModels& models, PromptStream& prompts, const PpoConfig& config, const PpoHooks& hooks, Run& run);

}  // namespace rlhf::algorithms
