#include "rlhf/control/ppo.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>

#include <limits>

#include "rlhf/algorithms/clipped_surrogate.h"
#include "rlhf/control/detail/train_actor_critic.h"
#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

using algorithms::clipped_policy_loss;
using algorithms::clipped_value_loss;

/// A rollout with its steps in one row.
struct Batch {
  Tensor actions, logprobs, values, advantages, returns;

  Batch at(const Tensor& steps) const {
    const auto pick = [&](const Tensor& of) { return of.index_select(0, steps); };
    return {pick(actions), pick(logprobs), pick(values), pick(advantages), pick(returns)};
  }
};

Batch batch_of(const Rollout& rollout, const PpoConfig& config) {
  const auto values = rollout.flat(rollout.values);
  const auto targets =
      algorithms::gae(rollout.flat(rollout.rewards), values, rollout.starts, config.gae, rollout.after);
  return {.actions = rollout.flat(rollout.actions),
          .logprobs = rollout.flat(rollout.logprobs),
          .values = values,
          .advantages = targets.advantages,
          .returns = targets.returns};
}

/// The steps of blocks of `together` adjacent ones.
Tensor steps_in(const std::vector<std::int64_t>& blocks, std::int64_t together) {
  const auto firsts = at::tensor(blocks);
  if (together == 1) return firsts;
  return (firsts.unsqueeze(1) * together + at::arange(together, at::kLong)).flatten();
}

struct Loss {
  Tensor total;
  double policy, value, entropy, approx_kl, clip_fraction;
};

Loss loss_of(const models::ActorCritic::Judged& now, const Batch& batch, const PpoConfig& config, double clip) {
  const auto& [policy, values] = now;
  const bool whitened = config.whiten_advantages && batch.advantages.numel() > 1;
  const auto advantages = whitened
                              ? algorithms::whiten(batch.advantages, {}, {.unbiased = true, .floor_deviation = true})
                              : batch.advantages;
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
          .approx_kl = surrogate.metrics.kl.item<double>(),
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
  const auto encoded = agent.encode()(rollout.flat(rollout.observations));
  return update(PpoJudge{.judge = [&](const Tensor& rows) { return agent.judge(encoded.index_select(0, rows)); }},
                optimizer, rollout, config, index);
}

PpoMetrics update(const PpoJudge& policy, algorithms::AdamW& optimizer, const Rollout& rollout, const PpoConfig& config,
                  std::int64_t index) {
  const auto batch = batch_of(rollout, config);
  PpoMetrics metrics{
      .explained_variance = algorithms::explained_variance(batch.values, batch.returns),
      .learning_rate = algorithms::scheduled(config.schedule, config.learning_rate, index, config.rollouts())};
  metrics.clip = config.clip_follows ? config.clip * metrics.learning_rate / config.learning_rate : config.clip;
  std::int64_t judged = 0;  // minibatches
  bool far = false;         // has the policy moved?
  for (std::int64_t epoch = 0; epoch < config.epochs && !far; ++epoch) {
    Random random(derive(config.seed,
                         {hash("minibatches"), static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(epoch)}));
    const auto order = steps_in(random.permutation(rollout.steps() / policy.together), policy.together);
    for (const auto& steps : order.split(config.minibatch)) {
      const auto loss = loss_of(policy.judge(steps), batch.at(steps), config, metrics.clip);
      metrics.policy_loss += loss.policy;
      metrics.value_loss += loss.value;
      metrics.entropy += loss.entropy;
      metrics.approx_kl += loss.approx_kl;
      metrics.clip_fraction += loss.clip_fraction;
      ++judged;
      far = config.target_kl && loss.approx_kl > 1.5 * *config.target_kl;
      if (far) break;
      optimizer.zero_grad();
      loss.total.backward();
      metrics.grad_norm = optimizer.step(metrics.learning_rate);
      ++metrics.updates;
    }
  }
  for (double* sum :
       {&metrics.policy_loss, &metrics.value_loss, &metrics.entropy, &metrics.approx_kl, &metrics.clip_fraction})
    *sum /= static_cast<double>(judged);
  return metrics;
}

void train(models::ActorCritic& agent, environments::VectorEnvironment& environments, const PpoConfig& config,
           const PpoHooks& hooks, Run& run) {
  train_actor_critic<algorithms::AdamW, PpoMetrics>(agent, environments, config, config.adam, hooks, run);
}

}  // namespace rlhf::control
