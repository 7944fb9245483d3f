#include "rlhf/control/ppo.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include <limits>

#include "rlhf/algorithms/clipped_surrogate.h"
#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

using algorithms::clipped_policy_loss;
using algorithms::clipped_value_loss;

/// A rollout with its steps in one row.
struct Batch {
  Tensor encoded, actions, logprobs, values, advantages, returns;

  Batch at(const Tensor& steps) const {
    const auto pick = [&](const Tensor& of) { return of.index_select(0, steps); };
    return {pick(encoded), pick(actions), pick(logprobs), pick(values), pick(advantages), pick(returns)};
  }
};

Batch batch_of(const models::ActorCritic& agent, const Rollout& rollout, const PpoConfig& config) {
  const auto values = rollout.flat(rollout.values);
  const auto targets =
      algorithms::gae(rollout.flat(rollout.rewards), values, rollout.starts, config.gae, rollout.after);
  return {.encoded = agent.encode()(rollout.flat(rollout.observations)),
          .actions = rollout.flat(rollout.actions),
          .logprobs = rollout.flat(rollout.logprobs),
          .values = values,
          .advantages = targets.advantages,
          .returns = targets.returns};
}

struct Loss {
  Tensor total;
  double policy, value, entropy, approx_kl, clip_fraction;
};

Loss loss_of(const models::ActorCritic& agent, const Batch& batch, const PpoConfig& config, double clip) {
  const auto [policy, values] = agent.judge(batch.encoded);
  const auto advantages =
      config.whiten_advantages ? algorithms::whiten(batch.advantages, {}, {.unbiased = true}) : batch.advantages;
  const auto judged = models::judge(policy, batch.actions);
  const auto surrogate = clipped_policy_loss(
      {.logprobs = judged.logprobs, .old_logprobs = batch.logprobs, .advantages = advantages}, clip);
  const auto value = clipped_value_loss({.values = values, .old_values = batch.values, .returns = batch.returns},
                                        config.value_clip.value_or(std::numeric_limits<double>::infinity()));
  const auto entropy = judged.entropy.mean();
  return {.total = surrogate.loss - config.entropy_coefficient * entropy + config.value_coefficient * value.loss,
          .policy = surrogate.loss.item<double>(),
          .value = value.loss.item<double>(),
          .entropy = entropy.item<double>(),
          .approx_kl = surrogate.metrics.approx_kl.item<double>(),
          .clip_fraction = surrogate.metrics.clip_fraction.item<double>()};
}

}  // namespace

void PpoMetrics::log(MetricRow& row) const {
  row.add("train/policy_gradient_loss", policy_loss);
  row.add("train/value_loss", value_loss);
  row.add("train/entropy", entropy);
  row.add("train/approx_kl", approx_kl);
  row.add("train/clip_fraction", clip_fraction);
  row.add("train/explained_variance", explained_variance);
  row.add("train/grad_norm", grad_norm);
  row.add("train/learning_rate", learning_rate);
  row.add("train/clip_range", clip);
  row.add("train/n_updates", static_cast<double>(updates));
}

PpoMetrics update(const models::ActorCritic& agent, algorithms::AdamW& optimizer, const Rollout& rollout,
                  const PpoConfig& config, std::int64_t index) {
  const auto batch = batch_of(agent, rollout, config);
  PpoMetrics metrics{
      .explained_variance = algorithms::explained_variance(batch.values, batch.returns),
      .learning_rate = algorithms::scheduled(config.schedule, config.learning_rate, index, config.rollouts())};
  metrics.clip = config.clip_follows ? config.clip * metrics.learning_rate / config.learning_rate : config.clip;
  for (std::int64_t epoch = 0; epoch < config.epochs; ++epoch) {
    Random random(derive(config.seed,
                         {hash("minibatches"), static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(epoch)}));
    const auto order = at::tensor(random.permutation(rollout.steps()));
    double moved = 0;
    const auto pieces = order.split(config.minibatch);
    for (const auto& steps : pieces) {
      const auto loss = loss_of(agent, batch.at(steps), config, metrics.clip);
      optimizer.zero_grad();
      loss.total.backward();
      metrics.grad_norm = optimizer.step(metrics.learning_rate);
      metrics.policy_loss += loss.policy;
      metrics.value_loss += loss.value;
      metrics.entropy += loss.entropy;
      metrics.approx_kl += loss.approx_kl;
      metrics.clip_fraction += loss.clip_fraction;
      ++metrics.updates;
      moved += loss.approx_kl / static_cast<double>(pieces.size());
    }
    if (config.target_kl && moved > 1.5 * *config.target_kl) break;
  }
  for (double* sum :
       {&metrics.policy_loss, &metrics.value_loss, &metrics.entropy, &metrics.approx_kl, &metrics.clip_fraction})
    *sum /= static_cast<double>(metrics.updates);
  return metrics;
}

namespace {

struct Row {
  const PpoMetrics& metrics;
  const EpisodeLog& episodes;
  std::int64_t steps;
  double seconds, steps_per_second;

  void log(MetricRow& row) const {
    row.add("rollout/steps", static_cast<double>(steps));
    row.add("rollout/episodes", static_cast<double>(episodes.finished()));
    if (episodes.finished() > 0) {
      row.add("rollout/ep_rew_mean", episodes.mean_return());
      row.add("rollout/ep_len_mean", episodes.mean_length());
    }
    metrics.log(row);
    row.add("time/steps_per_second", steps_per_second);
    row.add("time/seconds", seconds);
  }
};

}  // namespace

void train(models::ActorCritic& agent, environments::VectorEnvironment& environments, const PpoConfig& config,
           const PpoHooks& hooks, Run& run) {
  config.validate();
  algorithms::AdamW optimizer(agent.weights(), config.adam);
  Collector collector(environments, agent, config.steps, config.seed);
  if (const auto& before = run.restored()) {
    agent.restore(before->model_folder);
    optimizer.restore(before->state, "optimizer");
    collector.restore(before->state, "collector");
    if (hooks.restore) hooks.restore(before->state);
  }
  const auto checkpoint = [&](std::int64_t index) {
    State state;
    optimizer.save(state, "optimizer");
    collector.save(state, "collector");
    if (hooks.save) hooks.save(state);
    run.checkpoint(index, [&](const std::filesystem::path& folder) { agent.save(folder); }, state);
  };
  const auto total = config.rollouts(), per_rollout = config.envs * config.steps;
  const double begin = steady_seconds();
  run.progress().start("training", total * per_rollout, run.first_step() * per_rollout);
  for (std::int64_t index = run.first_step(); index < total; ++index) {
    auto rollout = collector.collect(hooks.keep_states);                    // 1 act
    if (hooks.reward) rollout.rewards = hooks.reward(rollout);              // 2 what it is worth, to whom it matters
    const auto metrics = update(agent, optimizer, rollout, config, index);  // 3 advantages, clipped surrogate
    run.progress().advance(per_rollout);
    if ((index + 1) % config.report_every == 0 || index + 1 == total) {
      const double seconds = steady_seconds() - begin;
      run.report(index, Row{metrics, collector.episodes(), (index + 1) * per_rollout, seconds,
                            static_cast<double>((index + 1 - run.first_step()) * per_rollout) / seconds});
    }
    if (hooks.after) hooks.after(index, rollout);
    const bool stop = run.stop_requested(), last = index + 1 == total;
    if (last || stop || (config.checkpoint_every > 0 && (index + 1) % config.checkpoint_every == 0)) checkpoint(index);
    if (stop && !last) break;
  }
  run.progress().finish();
}

}  // namespace rlhf::control
