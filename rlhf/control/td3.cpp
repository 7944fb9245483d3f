#include "rlhf/control/td3.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tanh.h>

#include "rlhf/control/detail/descend.h"
#include "rlhf/control/detail/parts_of.h"
#include "rlhf/control/noise.h"
#include "rlhf/core/require.h"

namespace rlhf::control {
void Td3Config::fields(Fields& f) {
  OffPolicyConfig::fields(f);
  f.group("network", network, "of policy and critics");
  f.field("learning_rate", learning_rate, "of policy and critics");
  f.field("target_share", target_share, "how far the targets move");
  f.field("policy_every", policy_every, "critic updates to one of the policy");
  f.field("exploration", exploration, "deviation of the noise on actions, which lie within ±1");
  f.field("smoothing", smoothing, "deviation of the noise on the target policy's actions");
  f.field("smoothing_limit", smoothing_limit, "where that noise is cut");
}

void Td3Config::validate() const {
  OffPolicyConfig::validate();
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
  require_setting(target_share > 0 && target_share <= 1, "target_share", "Give a share above 0, at most 1.");
  require_setting(policy_every >= 1, "policy_every", "Give 1 or more.");
  require_setting(exploration >= 0, "exploration", "Give 0 or more.");
  require_setting(smoothing >= 0, "smoothing", "Give 0 or more.");
  require_setting(smoothing_limit >= 0, "smoothing_limit", "Give 0 or more.");
}

Td3Agent::Td3Agent(const environments::Spec& spec, const Td3Config& config)
    : config_(config),
      encoder_(spec),
      range_(spec),
      critics_(config.network, encoder_.shape(), range_.numbers(), config.seed) {
  for (auto* policy : {&policy_, &policy_target_})
    *policy = models::make_network(config.network, encoder_.shape(), range_.numbers(), 1.0,
                                   derive(config.seed, {hash("policy")}));
  policy_optimizer_ = plain_adam(policy_->weights());
  critic_optimizer_ = plain_adam(critics_.trained());
}

Tensor Td3Agent::act(const models::Network& policy, const Tensor& encoded) const {
  return at::tanh(policy.forward(encoded));
}

Tensor Td3Agent::best(const Tensor& observations) const { return act(*policy_, encoder_(observations)); }

Td3Agent::Update Td3Agent::update(const Transitions& batch, const Tensor& noise) {
  const auto encoded = encoder_(batch.observations), next_encoded = encoder_(batch.next_observations);
  Tensor wanted;
  {
    const at::NoGradGuard no_gradient;
    const auto shaken = act(*policy_target_, next_encoded) +
                        (noise * config_.smoothing).clamp(-config_.smoothing_limit, config_.smoothing_limit);
    wanted = batch.rewards + batch.discounts * critics_.least_target(next_encoded, shaken.clamp(-1, 1));
  }
  const auto critic_loss = critics_.loss(encoded, batch.actions, wanted);
  descend(*critic_optimizer_, critic_loss, config_.learning_rate);

  Update result{.critic_loss = critic_loss.item<double>()};
  if (critic_optimizer_->steps() % config_.policy_every != 0) return result;
  const auto policy_loss = -critics_.value(0, encoded, act(*policy_, encoded)).mean();
  descend(*policy_optimizer_, policy_loss, config_.learning_rate);
  result.policy_loss = policy_loss.item<double>();
  models::copy_weights(*policy_, *policy_target_, config_.target_share);
  critics_.move_targets(config_.target_share);
  return result;
}

models::NamedWeights Td3Agent::weights() const {
  auto all = critics_.weights();
  add_weights(all, "policy.", *policy_);
  add_weights(all, "policy_target.", *policy_target_);
  return all;
}

void Td3Agent::save(State& state) const {
  policy_optimizer_->save(state, "policy");
  critic_optimizer_->save(state, "critic");
}

void Td3Agent::restore(const State& state) {
  policy_optimizer_->restore(state, "policy");
  critic_optimizer_->restore(state, "critic");
}

std::unique_ptr<Td3Agent> train_td3(environments::VectorEnvironment& environments, const Td3Config& config,
                                    const OffPolicyHooks& hooks, Run& run) {
  config.validate();
  auto agent = std::make_unique<Td3Agent>(environments.spec(), config);
  Td3Agent::Update last;
  double policy_loss = 0;
  const auto numbers = agent->range().numbers();
  auto parts = parts_of(*agent);
  keep_log(parts, {&last.critic_loss, &policy_loss});
  parts.act = [&](const Tensor& seen, double, bool exploring, Random& random) {
    const at::NoGradGuard no_gradient;
    const auto noise = normal_noise(seen.size(0), numbers, random);
    if (exploring) return uniform_noise(seen.size(0), numbers, random);
    return (agent->best(seen) + noise * config.exploration).clamp(-1, 1);
  };
  parts.learn = [&](const Transitions& batch, double, Random& random) {
    last = agent->update(batch, normal_noise(batch.rewards.size(0), numbers, random));
    if (last.policy_loss != 0) policy_loss = last.policy_loss;
    return Tensor();
  };
  parts.log = [&](MetricRow& row) {
    row.add("train/critic_loss", last.critic_loss);
    row.add("train/actor_loss", policy_loss);
  };
  train(parts, environments, config, hooks, run);
  return agent;
}

}  // namespace rlhf::control
