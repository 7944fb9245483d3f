#include "rlhf/control/sac.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/tanh.h>

#include <cmath>
#include <numbers>

#include "rlhf/core/require.h"
#include "rlhf/core/safetensors.h"

namespace rlhf::control {
namespace {

constexpr double least_log_deviation = -20, most_log_deviation = 2, inside = 1e-6;
const double log_sqrt_two_pi = 0.5 * std::log(2 * std::numbers::pi);

void add(models::NamedWeights& all, const std::string& prefix, const models::Network& network) {
  for (const auto& [name, weight] : network.weights()) all.emplace_back(prefix + name, weight);
}

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
    : config_(config), encoder_(spec), range_(spec) {
  const auto key = [&](const char* part) { return derive(config.seed, {hash(part)}); };
  std::int64_t seen = 1;
  for (const auto side : encoder_.shape()) seen *= side;
  policy_ = models::make_network(config.network, encoder_.shape(), 2 * range_.numbers(), 1.0, key("policy"));
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
  log_temperature_ = at::full({1}, std::log(config.temperature.value_or(1.0)), at::kFloat).requires_grad_();
  const algorithms::AdamConfig adam{.max_grad_norm = 0};
  policy_optimizer_ = std::make_unique<algorithms::AdamW>(policy_->weights(), adam);
  critic_optimizer_ = std::make_unique<algorithms::AdamW>(critic_weights, adam);
  temperature_optimizer_ =
      std::make_unique<algorithms::AdamW>(algorithms::NamedParameters{{"log_temperature", log_temperature_}}, adam);
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

Tensor SacAgent::critic(const models::Network& network, const Tensor& encoded, const Tensor& actions) const {
  return network.forward(at::cat({encoded.flatten(1), actions}, 1)).squeeze(1);
}

double SacAgent::temperature() const { return std::exp(log_temperature_.item<double>()); }

SacAgent::Update SacAgent::update(const Transitions& batch, const Tensor& noise, const Tensor& next_noise) {
  const auto encoded = encoder_(batch.observations), next_encoded = encoder_(batch.next_observations);
  const auto now = draw(batch.observations, noise);
  Update result{.temperature = temperature(), .entropy = -now.logprobs.mean().item<double>()};
  const double alpha = result.temperature;
  if (!config_.temperature) {
    const double target = config_.target_entropy.value_or(-static_cast<double>(range_.numbers()));
    temperature_optimizer_->zero_grad();
    (-(log_temperature_ * (now.logprobs.detach() + target)).mean()).backward();
    temperature_optimizer_->step(config_.learning_rate);
  }

  Tensor wanted;
  {
    const at::NoGradGuard no_gradient;
    const auto next = draw(batch.next_observations, next_noise);
    const auto value =
        at::minimum(critic(*targets_[0], next_encoded, next.actions), critic(*targets_[1], next_encoded, next.actions));
    wanted = batch.rewards + batch.discounts * (value - alpha * next.logprobs);
  }
  const auto critic_loss = 0.5 * (at::mse_loss(critic(*critics_[0], encoded, batch.actions), wanted) +
                                  at::mse_loss(critic(*critics_[1], encoded, batch.actions), wanted));
  critic_optimizer_->zero_grad();
  critic_loss.backward();
  critic_optimizer_->step(config_.learning_rate);

  const auto value =
      at::minimum(critic(*critics_[0], encoded, now.actions), critic(*critics_[1], encoded, now.actions));
  const auto policy_loss = (alpha * now.logprobs - value).mean();
  policy_optimizer_->zero_grad();
  policy_loss.backward();
  policy_optimizer_->step(config_.learning_rate);

  for (int i = 0; i < 2; ++i) models::copy_weights(*critics_[i], *targets_[i], config_.target_share);
  result.policy_loss = policy_loss.item<double>();
  result.critic_loss = critic_loss.item<double>();
  return result;
}

models::NamedWeights SacAgent::weights() const {
  models::NamedWeights all;
  add(all, "policy.", *policy_);
  for (int i = 0; i < 2; ++i) {
    add(all, "critic" + std::to_string(i) + ".", *critics_[i]);
    add(all, "target" + std::to_string(i) + ".", *targets_[i]);
  }
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

void SacAgent::write(const std::filesystem::path& folder) const { write_weights(folder, weights()); }
void SacAgent::read(const std::filesystem::path& folder) { read_weights(folder, weights()); }

Tensor normal_noise(std::int64_t rows, std::int64_t numbers, Random& random) {
  auto noise = at::empty({rows, numbers}, at::kFloat);
  for (std::int64_t i = 0; i < noise.numel(); ++i)
    noise.mutable_data_ptr<float>()[i] = static_cast<float>(random.normal());
  return noise;
}

std::unique_ptr<SacAgent> train_sac(environments::VectorEnvironment& environments, const SacConfig& config,
                                    const OffPolicyHooks& hooks, Run& run) {
  config.validate();
  auto agent = std::make_unique<SacAgent>(environments.spec(), config);
  SacAgent::Update last;
  std::int64_t updates = 0;
  const auto numbers = agent->range().numbers();
  const OffPolicyAgent parts{
      .act =
          [&](const Tensor& seen, double, bool exploring, Random& random) {
            const at::NoGradGuard no_gradient;
            const auto noise = normal_noise(seen.size(0), numbers, random);
            if (!exploring) return agent->draw(seen, noise).actions;
            auto actions = at::empty_like(noise);
            for (std::int64_t i = 0; i < actions.numel(); ++i)
              actions.mutable_data_ptr<float>()[i] = static_cast<float>(2 * random.uniform() - 1);
            return actions;
          },
      .to_environment = [&](const Tensor& actions) { return agent->range().to_environment(actions); },
      .learn =
          [&](const Transitions& batch, double, Random& random) {
            const auto rows = batch.rewards.size(0);
            const auto noise = normal_noise(rows, numbers, random), next_noise = normal_noise(rows, numbers, random);
            last = agent->update(batch, noise, next_noise);
            ++updates;
            return Tensor();
          },
      .log =
          [&](MetricRow& row) {
            if (updates == 0) return;
            row.add("train/actor_loss", last.policy_loss);
            row.add("train/critic_loss", last.critic_loss);
            row.add("train/ent_coef", last.temperature);
            row.add("train/entropy", last.entropy);
          },
      .write_model = [&](const std::filesystem::path& folder) { agent->write(folder); },
      .read_model = [&](const std::filesystem::path& folder) { agent->read(folder); },
      .save = [&](State& state) { agent->save(state); },
      .restore = [&](const State& state) { agent->restore(state); }};
  train(parts, environments, config, hooks, run);
  return agent;
}

}  // namespace rlhf::control
