#include "rlhf/algorithms/ppo.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "rlhf/algorithms/clipped_surrogate.h"
#include "rlhf/algorithms/detail/ppo_checks.h"
#include "rlhf/algorithms/detail/ppo_learner.h"
#include "rlhf/algorithms/minibatch.h"
#include "rlhf/algorithms/trainable.h"
#include "rlhf/core/clock.h"
#include "rlhf/core/seed.h"

namespace rlhf::algorithms {
namespace {

struct Collected {
  Rollout rollout;
  std::vector<rewards::Score> scores;
  double stopped = 0;  // share of completions with an end
  double generate_seconds = 0, reward_seconds = 0;
};

/// Samples completions, cuts them at their stop token, and scores them.
Collected collect(PromptStream& prompts, const PpoConfig& config, const PpoHooks& hooks, std::int64_t step) {
  const double began = steady_seconds();
  const auto asked = prompts.next(config.batch / config.sampling.num);
  auto completions = hooks.generate(asked, step);
  std::vector<data::Prompt> each;
  for (const auto& prompt : asked) each.insert(each.end(), config.sampling.num, prompt);
  const double sampled = steady_seconds();

  Collected result{.generate_seconds = sampled - began};
  std::vector<data::Completion> cut;
  std::vector<bool> stopped;
  for (const auto& completion : completions) {
    auto [ended, has_end] = cut_at_stop(completion, config.stop, hooks.decode);
    cut.push_back(std::move(ended));
    stopped.push_back(has_end);
    result.stopped += has_end / static_cast<double>(completions.size());
  }
  result.scores = hooks.reward(each, cut);
  if (config.stop.missing_score)
    for (std::size_t i = 0; i < stopped.size() && i < result.scores.size(); ++i)
      if (!stopped[i]) result.scores[i].value = *config.stop.missing_score;
  result.reward_seconds = steady_seconds() - sampled;
  result.rollout = lay_out(std::move(each), config.as_published ? std::move(completions) : std::move(cut));
  return result;
}

/// Fills the rollout's logprobs, values and reference logprobs on the partition of the first update. When that is one piece,
/// its forward pass keeps its graph and serves the first update too: the old policy costs nothing.
std::optional<Readout> measure(const PpoLearner& learner, Rollout& rollout) {
  const bool one_piece = rollout.parts.size() == 1 && rollout.parts[0].size() == 1;
  std::optional<Readout> first;
  for (const auto& minibatch : rollout.parts) {
    for (const auto& piece : minibatch) {
      const at::AutoGradMode gradients(one_piece);
      Readout old = learner.read(piece, /*entropy=*/true);
      put_targets(rollout.logprobs, rollout.starts, piece, old.logprobs);
      put_targets(rollout.values, rollout.starts, piece, old.values);
      put_targets(rollout.entropy, rollout.starts, piece, old.entropy);
      put_targets(rollout.reference_logprobs, rollout.starts, piece, learner.reference_logprobs(piece));
      if (one_piece) first = std::move(old);
    }
  }
  return first;
}

/// What one minibatch learns from, piece by piece.
struct MinibatchTargets {
  std::vector<Tensor> advantages, returns;
  double tokens = 0;
};

/// Whitening, advantages and returns are made anew for each minibatch from what was stored, as in the released code.
MinibatchTargets minibatch_targets(const std::vector<TargetBatch>& pieces, const Rollout& rollout, const Tensor& rewards, const PpoConfig& config) {
  std::vector<std::int64_t> starts{0}, sizes;
  std::vector<Tensor> reward_parts, value_parts;
  for (const auto& piece : pieces) {
    for (std::size_t i = 1; i < piece.starts.size(); ++i) starts.push_back(starts.back() + piece.starts[i] - piece.starts[i - 1]);
    reward_parts.push_back(take_targets(rewards, rollout.starts, piece));
    value_parts.push_back(take_targets(rollout.values, rollout.starts, piece));
    sizes.push_back(piece.size());
  }
  Tensor reward = at::cat(reward_parts);
  if (config.whiten_rewards) reward = whiten(reward, {}, {.shift_mean = false});
  Targets targets = gae(reward, at::cat(value_parts), starts, config.gae);
  if (config.whiten_advantages) targets.advantages = whiten(targets.advantages);
  return {.advantages = targets.advantages.split_with_sizes(sizes), .returns = targets.returns.split_with_sizes(sizes),
          .tokens = static_cast<double>(starts.back())};
}

/// Epochs x minibatches of the clipped surrogate.
void optimise(const PpoLearner& learner, AdamW& optimizer, const Rollout& rollout, const Tensor& rewards, std::optional<Readout> first,
              const PpoConfig& config, std::int64_t step, PpoMetrics& metrics) {
  for (Tensor* sum : {&metrics.approx_kl, &metrics.clip_fraction, &metrics.policy_loss, &metrics.value_loss, &metrics.value_clip_fraction, &metrics.ratio, &metrics.ratio_max})
    *sum = at::zeros({});
  const double updates = static_cast<double>(config.epochs * config.minibatches);
  for (std::int64_t epoch = 0; epoch < config.epochs; ++epoch) {
    // The first pass takes the pieces that the old logprobs were taken on; a single minibatch has no order worth changing.
    const bool same_parts = epoch == 0 || config.minibatches == 1;
    const auto key = derive(config.seed, {hash("ppo minibatch"), static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(epoch)});
    std::vector<std::vector<TargetBatch>> reshuffled;
    if (!same_parts) reshuffled = partition(rollout, shuffled(rollout.size(), key), config.minibatches, config.micro_tokens);
    bool untouched = epoch == 0;
    for (const auto& minibatch : same_parts ? rollout.parts : reshuffled) {
      const auto targets = minibatch_targets(minibatch, rollout, rewards, config);
      optimizer.zero_grad();
      for (std::size_t i = 0; i < minibatch.size(); ++i) {
        const auto& piece = minibatch[i];
        const Readout now = first ? std::move(*first) : learner.read(piece, /*entropy=*/false);
        first.reset();
        const auto [policy_loss, policy] = clipped_policy_loss(
            {.logprobs = now.logprobs, .old_logprobs = take_targets(rollout.logprobs, rollout.starts, piece), .advantages = targets.advantages[i]},
            config.clip, targets.tokens);
        const auto [value_loss, value] = clipped_value_loss(
            {.values = now.values, .old_values = take_targets(rollout.values, rollout.starts, piece), .returns = targets.returns[i]},
            config.value_clip, targets.tokens);
        (policy_loss + config.value_coefficient * value_loss).backward();

        if (untouched) {
          const auto gap = (now.logprobs.detach() - take_targets(rollout.logprobs, rollout.starts, piece)).expm1().abs().max();
          metrics.ratio_start = std::max(metrics.ratio_start, gap.item<double>());
        }
        metrics.policy_loss += policy_loss.detach() / updates;
        metrics.value_loss += value_loss.detach() / updates;
        metrics.approx_kl += policy.approx_kl / updates;
        metrics.clip_fraction += policy.clip_fraction / updates;
        metrics.ratio += policy.ratio / updates;
        metrics.ratio_max = at::maximum(metrics.ratio_max, policy.ratio_max);
        metrics.value_clip_fraction += value.clip_fraction / updates;
      }
      metrics.grad_norm = optimizer.step(metrics.learning_rate);
      untouched = false;
    }
  }
  optimizer.zero_grad();
}

void describe(const Collected& batch, const PenalisedRewards& penalised, const PpoConfig& config, PpoMetrics& metrics) {
  const auto& rollout = batch.rollout;
  const auto count = static_cast<double>(rollout.size());
  metrics.kl = penalised.mean_kl;
  metrics.scores = penalised.mean_score;
  metrics.rlhf_reward = penalised.mean_reward;
  double squares = 0;
  for (const auto& score : batch.scores) squares += (score.value - metrics.scores) * (score.value - metrics.scores);
  metrics.score_std = std::sqrt(squares / count);
  metrics.entropy = -rollout.logprobs.sum().item<double>() / count;
  metrics.policy_entropy = rollout.entropy.mean().item<double>();
  metrics.completion_length = static_cast<double>(rollout.tokens()) / count;
  metrics.stopped = batch.stopped;
  const auto mismatch = sampling_mismatch(rollout);
  metrics.mismatch_mean = mismatch.mean;
  metrics.mismatch_max = mismatch.max;
  const auto targets = gae(config.whiten_rewards ? whiten(penalised.rewards, {}, {.shift_mean = false}) : penalised.rewards, rollout.values,
                           rollout.starts, config.gae);
  metrics.explained_variance = explained_variance(rollout.values, targets.returns);
  metrics.generate_seconds = batch.generate_seconds;
  metrics.reward_seconds = batch.reward_seconds;
  metrics.generated_per_second = static_cast<double>(rollout.tokens()) / std::max(1e-9, batch.generate_seconds);
}

void write_samples(const Collected& batch, const PenalisedRewards& penalised, const PpoConfig& config, std::int64_t step, Run& run) {
  const auto& rollout = batch.rollout;
  for (std::int64_t i = 0; i < std::min(config.samples, rollout.size()); ++i)
    run.sample({{"step", step},
                {"prompt_id", rollout.prompts[i].id},
                {"prompt", rollout.prompts[i].text},
                {"completion", rollout.completions[i].text},
                {"score", batch.scores[i].value},
                {"parts", batch.scores[i].parts},
                {"kl", penalised.kl[i]}});
}

}  // namespace

PpoResult train(const PpoModels& models, PromptStream& prompts, const PpoConfig& config, const PpoHooks& hooks, Run& run) {
  config.validate();
  require_ready(models, hooks);
  require_sign(config, hooks);
  const bool starts_equal = !run.restored() && starts_as_reference(models);
  const double peak = config.learning_rate.value_or(has_adapters(models.policy) ? 1e-3 : 5e-6);
  const PpoLearner learner(models, config);
  AdamW optimizer(learner.parameters(), config.adam);
  KlController kl(config.kl);
  if (const auto& restored = run.restored()) {
    restore_parameters(optimizer.parameters(), restored->state);
    optimizer.restore(restored->state, "adam");
    kl.restore(restored->state);
    prompts.seek(restored->state.values.at("prompt_cursor").get<std::int64_t>());
  }

  PpoResult result{.steps = run.first_step()};
  run.progress().start("ppo", config.steps, run.first_step());
  for (auto step = run.first_step(); step < config.steps; ++step) {
    PpoMetrics metrics{.coefficient = kl.coefficient(), .learning_rate = scheduled(config.schedule, peak, step, config.steps)};
    auto batch = collect(prompts, config, hooks, step);                                                    // 1 sample, 2 score
    const double began = steady_seconds();
    const auto key = derive(config.seed, {hash("ppo minibatch"), static_cast<std::uint64_t>(step), 0});
    batch.rollout.parts = partition(batch.rollout, shuffled(batch.rollout.size(), key), config.minibatches, config.micro_tokens);
    auto first = measure(learner, batch.rollout);                                                          // 3 old, reference, values
    const auto penalised = penalise_kl(batch.scores, batch.rollout, config.kl.estimator, kl.coefficient());  // 4 [tokens], ragged by starts
    describe(batch, penalised, config, metrics);
    optimise(learner, optimizer, batch.rollout, penalised.rewards, std::move(first), config, step, metrics);  // 5 clipped surrogate
    kl.update(penalised.mean_kl, config.batch);                                                            // 6 adapt the penalty
    if (step == 0) require_exact_start(metrics, starts_equal);

    metrics.episodes = (step + 1) * config.batch;
    metrics.train_seconds = steady_seconds() - began;
    metrics.trained_per_second = static_cast<double>(batch.rollout.tokens() * config.epochs) / std::max(1e-9, metrics.train_seconds);
    run.report(step, metrics);
    write_samples(batch, penalised, config, step, run);
    run.progress().advance();
    result = {.steps = step + 1, .last = std::move(metrics)};
    if (hooks.evaluate && config.evaluate_every > 0 && (step + 1) % config.evaluate_every == 0) hooks.evaluate(step);

    const bool last = step + 1 == config.steps, stop = run.stop_requested();
    if (last || stop || (config.checkpoint_every > 0 && (step + 1) % config.checkpoint_every == 0)) {
      State state;
      save_parameters(optimizer.parameters(), state);
      optimizer.save(state, "adam");
      kl.save(state);
      state.values["prompt_cursor"] = prompts.cursor();
      run.checkpoint(step, hooks.write_model, state);
    }
    if (stop) break;
  }
  run.progress().finish();
  return result;
}

}  // namespace rlhf::algorithms
