#include "rlhf/control/sac.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log.h>
#include <ATen/ops/tanh.h>

#include <cmath>
#include <numbers>

#include "rlhf/control/detail/descend.h"
#include "rlhf/control/detail/parts_of.h"
#include "rlhf/control/noise.h"
#include "rlhf/core/require.h"

namespace rlhf::control {
namespace {

constexpr double least_log_deviation = -20, most_log_deviation = 2, inside = 1e-6;
const double log_sqrt_two_pi = 0.5 * std::log(2 * std::numbers::pi);

}  // namespace

void SacConfig::fields(Fields& f) {
  OffPolicyConfig::fields(f);
  f.group("network", network, "of policy and critics");
  f.field("learning_rate", learning_rate, "of policy, critics and temperature");
  f.field("target_share", target_share, "how far the target critics move at every update");
  f.field("temperature", temperature, "weight of the entropy; none: learnt");
  f.field("target_entropy", target_entropy, "that a learnt temperature keeps, nats; none: minus the actions' numbers");
}

void SacConfig::validate() const {
  OffPolicyConfig::validate();
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
  require_setting(target_share > 0 && target_share <= 1, "target_share", "Give a share above 0, at most 1.");
  if (temperature) require_setting(*temperature > 0, "temperature", "Give a positive number.");
}

SacAgent::SacAgent(const environments::Spec& spec, const SacConfig& config)
    : config_(config),
      encoder_(spec),
      range_(spec),
      policy_(models::make_network(config.network, encoder_.shape(), 2 * range_.numbers(), 1.0,
                                   derive(config.seed, {hash("policy")}))),
      critics_(config.network, encoder_.shape(), range_.numbers(), config.seed) {
  log_temperature_ = at::full({1}, std::log(config.temperature.value_or(1.0)), at::kFloat).requires_grad_();
  policy_optimizer_ = plain_adam(policy_->weights());
  critic_optimizer_ = plain_adam(critics_.trained());
  temperature_optimizer_ = plain_adam({{"log_temperature", log_temperature_}});
}

SacAgent::Drawn SacAgent::draw(const Tensor& observations, const Tensor& noise) const {
  const auto outputs = policy_->forward(encoder_(observations));
  const auto mean = outputs.narrow(1, 0, range_.numbers());
  const auto log_deviation =
      outputs.narrow(1, range_.numbers(), range_.numbers()).clamp(least_log_deviation, most_log_deviation);
  const auto actions = at::tanh(mean + at::exp(log_deviation) * noise);
  const auto normal = -0.5 * noise.square() - log_deviation - log_sqrt_two_pi;
  return {actions, (normal - at::log(1 - actions.square() + inside)).sum(1)};
}

Tensor SacAgent::best(const Tensor& observations) const {
  return at::tanh(policy_->forward(encoder_(observations)).narrow(1, 0, range_.numbers()));
}

double SacAgent::temperature() const { return std::exp(log_temperature_.item<double>()); }

SacAgent::Update SacAgent::update(const Transitions& batch, const Tensor& noise, const Tensor& next_noise) {
  const auto encoded = encoder_(batch.observations), next_encoded = encoder_(batch.next_observations);
  const auto now = draw(batch.observations, noise);
  Update result{.temperature = temperature(), .entropy = -now.logprobs.mean().item<double>()};
  const double alpha = result.temperature;
  if (!config_.temperature) {
    const double target = config_.target_entropy.value_or(-static_cast<double>(range_.numbers()));
    descend(*temperature_optimizer_, -(log_temperature_ * (now.logprobs.detach() + target)).mean(),
            config_.learning_rate);
  }

  Tensor wanted;
  {
    const at::NoGradGuard no_gradient;
    const auto next = draw(batch.next_observations, next_noise);
    const auto value = critics_.least_target(next_encoded, next.actions);
    wanted = batch.rewards + batch.discounts * (value - alpha * next.logprobs);
  }
  const auto critic_loss = 0.5 * critics_.loss(encoded, batch.actions, wanted);
  descend(*critic_optimizer_, critic_loss, config_.learning_rate);

  const auto policy_loss = (alpha * now.logprobs - critics_.least(encoded, now.actions)).mean();
  descend(*policy_optimizer_, policy_loss, config_.learning_rate);

  critics_.move_targets(config_.target_share);
  result.policy_loss = policy_loss.item<double>();
  result.critic_loss = critic_loss.item<double>();
  return result;
}

models::NamedWeights SacAgent::weights() const {
  auto all = critics_.weights();
  add_weights(all, "policy.", *policy_);
  all.emplace_back("log_temperature", log_temperature_);
  return all;
}

void SacAgent::save(State& state) const {
  policy_optimizer_->save(state, "policy");
  critic_optimizer_->save(state, "critic");
  temperature_optimizer_->save(state, "temperature");
}

void SacAgent::restore(const State& state) {
  policy_optimizer_->restore(state, "policy");
  critic_optimizer_->restore(state, "critic");
  temperature_optimizer_->restore(state, "temperature");
}

std::unique_ptr<SacAgent> train_sac(environments::VectorEnvironment& environments, const SacConfig& config,
                                    const OffPolicyHooks& hooks, Run& run) {
  config.validate();
  auto agent = std::make_unique<SacAgent>(environments.spec(), config);
  SacAgent::Update last;
  double updates = 0;
  const auto numbers = agent->range().numbers();
  auto parts = parts_of(*agent);
  keep_log(parts, {&last.policy_loss, &last.critic_loss, &last.temperature, &last.entropy, &updates});
  parts.act = [&](const Tensor& seen, double, bool exploring, Random& random) {
    const at::NoGradGuard no_gradient;
    const auto noise = normal_noise(seen.size(0), numbers, random);
    return exploring ? uniform_noise(seen.size(0), numbers, random) : agent->draw(seen, noise).actions;
  };
  parts.learn = [&](const Transitions& batch, double, Random& random) {
    const auto rows = batch.rewards.size(0);
    const auto noise = normal_noise(rows, numbers, random), next_noise = normal_noise(rows, numbers, random);
    last = agent->update(batch, noise, next_noise);
    ++updates;
    return Tensor();
  };
  parts.log = [&](MetricRow& row) {
    if (updates == 0) return;
    row.add("train/actor_loss", last.policy_loss);
    row.add("train/critic_loss", last.critic_loss);
    row.add("train/ent_coef", last.temperature);
    row.add("train/entropy", last.entropy);
  };
  train(parts, environments, config, hooks, run);
  return agent;
}

}  // namespace rlhf::control
