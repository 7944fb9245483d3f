#include "rlhf/control/td3.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/tanh.h>

#include "rlhf/control/sac.h"
#include "rlhf/core/require.h"

namespace rlhf::control {
namespace {

void add(models::NamedWeights& all, const std::string& prefix, const models::Network& network) {
  for (const auto& [name, weight] : network.weights()) all.emplace_back(prefix + name, weight);
}

}  // namespace

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
    : config_(config), encoder_(spec), range_(spec) {
  const auto key = [&](const char* part) { return derive(config.seed, {hash(part)}); };
  std::int64_t seen = 1;
  for (const auto side : encoder_.shape()) seen *= side;
  const auto make_policy = [&] {
    return models::make_network(config.network, encoder_.shape(), range_.numbers(), 1.0, key("policy"));
  };
  policy_ = make_policy();
  policy_target_ = make_policy();
  const char* names[] = {"critic0", "critic1"};
  models::NamedWeights critic_weights;
  for (int i = 0; i < 2; ++i) {
    const auto make = [&] {
      return models::make_network(config.network, {seen + range_.numbers()}, 1, 1.0, key(names[i]));
    };
    critics_[i] = make();
    targets_[i] = make();
    add(critic_weights, std::string(names[i]) + ".", *critics_[i]);
  }
  const algorithms::AdamConfig adam{.max_grad_norm = 0};
  policy_optimizer_ = std::make_unique<algorithms::AdamW>(policy_->weights(), adam);
  critic_optimizer_ = std::make_unique<algorithms::AdamW>(critic_weights, adam);
}

Tensor Td3Agent::act(const models::Network& policy, const Tensor& encoded) const {
  return at::tanh(policy.forward(encoded));
}

Tensor Td3Agent::best(const Tensor& observations) const { return act(*policy_, encoder_(observations)); }

Tensor Td3Agent::critic(const models::Network& network, const Tensor& encoded, const Tensor& actions) const {
  return network.forward(at::cat({encoded.flatten(1), actions}, 1)).squeeze(1);
}

Td3Agent::Update Td3Agent::update(const Transitions& batch, const Tensor& noise) {
  const auto encoded = encoder_(batch.observations), next_encoded = encoder_(batch.next_observations);
  Tensor wanted;
  {
    const at::NoGradGuard no_gradient;
    const auto shaken = act(*policy_target_, next_encoded) +
                        (noise * config_.smoothing).clamp(-config_.smoothing_limit, config_.smoothing_limit);
    const auto next = shaken.clamp(-1, 1);
    const auto value = at::minimum(critic(*targets_[0], next_encoded, next), critic(*targets_[1], next_encoded, next));
    wanted = batch.rewards + batch.discounts * value;
  }
  const auto critic_loss = at::mse_loss(critic(*critics_[0], encoded, batch.actions), wanted) +
                           at::mse_loss(critic(*critics_[1], encoded, batch.actions), wanted);
  critic_optimizer_->zero_grad();
  critic_loss.backward();
  critic_optimizer_->step(config_.learning_rate);

  Update result{.critic_loss = critic_loss.item<double>()};
  if (critic_optimizer_->steps() % config_.policy_every != 0) return result;
  const auto policy_loss = -critic(*critics_[0], encoded, act(*policy_, encoded)).mean();
  policy_optimizer_->zero_grad();
  policy_loss.backward();
  policy_optimizer_->step(config_.learning_rate);
  result.policy_loss = policy_loss.item<double>();
  models::copy_weights(*policy_, *policy_target_, config_.target_share);
  for (int i = 0; i < 2; ++i) models::copy_weights(*critics_[i], *targets_[i], config_.target_share);
  return result;
}

models::NamedWeights Td3Agent::weights() const {
  models::NamedWeights all;
  add(all, "policy.", *policy_);
  add(all, "policy_target.", *policy_target_);
  for (int i = 0; i < 2; ++i) {
    add(all, "critic" + std::to_string(i) + ".", *critics_[i]);
    add(all, "target" + std::to_string(i) + ".", *targets_[i]);
  }
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
  const OffPolicyAgent parts{
      .act =
          [&](const Tensor& seen, double, bool exploring, Random& random) {
            const at::NoGradGuard no_gradient;
            const auto noise = normal_noise(seen.size(0), numbers, random);
            if (!exploring) return (agent->best(seen) + noise * config.exploration).clamp(-1, 1);
            auto actions = at::empty_like(noise);
            for (std::int64_t i = 0; i < actions.numel(); ++i)
              actions.mutable_data_ptr<float>()[i] = static_cast<float>(2 * random.uniform() - 1);
            return actions;
          },
      .to_environment = [&](const Tensor& actions) { return agent->range().to_environment(actions); },
      .learn =
          [&](const Transitions& batch, double, Random& random) {
            last = agent->update(batch, normal_noise(batch.rewards.size(0), numbers, random));
            if (last.policy_loss != 0) policy_loss = last.policy_loss;
            return Tensor();
          },
      .log =
          [&](MetricRow& row) {
            row.add("train/critic_loss", last.critic_loss);
            row.add("train/actor_loss", policy_loss);
          },
      .write_model = [&](const std::filesystem::path& folder) { write_weights(folder, agent->weights()); },
      .read_model = [&](const std::filesystem::path& folder) { read_weights(folder, agent->weights()); },
      .save = [&](State& state) { agent->save(state); },
      .restore = [&](const State& state) { agent->restore(state); }};
  train(parts, environments, config, hooks, run);
  return agent;
}

}  // namespace rlhf::control
