#include "rlhf/control/a2c.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mse_loss.h>
#include <fmt/format.h>

#include "rlhf/algorithms/clipped_surrogate.h"
#include "rlhf/control/detail/train_actor_critic.h"
#include "rlhf/core/require.h"

namespace rlhf::control {

void A2cConfig::fields(Fields& f) {
  f.field("total_steps", total_steps, "steps of all environments together");
  f.field("envs", envs, "environments stepped together");
  f.field("steps", steps, "steps of each environment in a rollout");
  f.field("learning_rate", learning_rate, "peak learning rate");
  f.group("schedule", schedule, "how the learning rate moves, by rollout");
  f.field("entropy_coefficient", entropy_coefficient, "weight of the policy's entropy");
  f.field("value_coefficient", value_coefficient, "weight of the value's squared error");
  f.field("whiten_advantages", whiten_advantages, "scale advantages to mean 0 and variance 1 over a rollout");
  f.group("gae", gae, "advantage estimation");
  f.group("optimizer", optimizer, "RMSProp");
  f.field("report_every", report_every, "rollouts between two rows of metrics");
  f.field("checkpoint_every", checkpoint_every, "rollouts between checkpoints; 0 = at the end only");
  f.field("seed", seed, "of everything that chance decides");
}

void A2cConfig::validate() const {
  require_setting(envs >= 1, "envs", "Give 1 or more.");
  require_setting(steps >= 1, "steps", "Give 1 or more.");
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
  require_setting(report_every >= 1, "report_every", "Give 1 or more.");
  require_setting(rollouts() > 0, "total_steps",
                  fmt::format("{} is less than one rollout of {} x {}", total_steps, envs, steps),
                  "Train longer, or take fewer envs or steps.");
}

void A2cMetrics::log(MetricRow& row) const {
  row.add("train/policy_loss", policy_loss);
  row.add("train/value_loss", value_loss);
  row.add("train/entropy", entropy);
  row.add("train/explained_variance", explained_variance);
  row.add("train/grad_norm", grad_norm);
  row.add("train/learning_rate", learning_rate);
}

A2cMetrics update(const models::ActorCritic& agent, algorithms::RmsProp& optimizer, const Rollout& rollout,
                  const A2cConfig& config, std::int64_t index) {
  const auto old_values = rollout.flat(rollout.values);
  auto targets = algorithms::gae(rollout.flat(rollout.rewards), old_values, rollout.starts, config.gae, rollout.after);
  if (config.whiten_advantages) targets.advantages = algorithms::whiten(targets.advantages, {}, {.unbiased = true});

  const auto [policy, values] = agent.judge(agent.encode()(rollout.flat(rollout.observations)));
  const auto judged = models::judge(policy, rollout.flat(rollout.actions));
  const auto policy_loss = -(targets.advantages * judged.logprobs).mean();
  const auto value_loss = at::mse_loss(values, targets.returns);
  const auto entropy = judged.entropy.mean();
  optimizer.zero_grad();
  (policy_loss + config.value_coefficient * value_loss - config.entropy_coefficient * entropy).backward();

  A2cMetrics metrics{.policy_loss = policy_loss.item<double>(),
                     .value_loss = value_loss.item<double>(),
                     .entropy = entropy.item<double>(),
                     .explained_variance = algorithms::explained_variance(old_values, targets.returns)};
  metrics.learning_rate = algorithms::scheduled(config.schedule, config.learning_rate, index, config.rollouts());
  metrics.grad_norm = optimizer.step(metrics.learning_rate);
  return metrics;
}

void train(models::ActorCritic& agent, environments::VectorEnvironment& environments, const A2cConfig& config,
           const OnPolicyHooks& hooks, Run& run) {
  train_actor_critic<algorithms::RmsProp, A2cMetrics>(agent, environments, config, config.optimizer, hooks, run);
}

}  // namespace rlhf::control
