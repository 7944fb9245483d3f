#include "rlhf/control/cql.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/tanh.h>

#include <cmath>
#include <numbers>

#include "rlhf/control/detail/descend.h"
#include "rlhf/control/detail/parts_of.h"
#include "rlhf/control/noise.h"
#include "rlhf/core/require.h"

namespace rlhf::control {
namespace {

constexpr double least_log_deviation = -20, most_log_deviation = 2, most_alpha = 1e6;
const double log_sqrt_two_pi = 0.5 * std::log(2 * std::numbers::pi);

}  // namespace

void CqlConfig::fields(Fields& f) {
  OfflineConfig::fields(f);
  f.group("network", network, "of policy and critics");
  f.field("policy_learning_rate", policy_learning_rate, "of policy, temperature and alpha");
  f.field("critic_learning_rate", critic_learning_rate, "of the critics");
  f.field("target_share", target_share, "how far the target critics move at every update");
  f.field("initial_temperature", initial_temperature, "weight of the entropy at first");
  f.field("conservative_weight", conservative_weight, "of the conservative loss");
  f.field("alpha", alpha, "its other weight; none: learnt, so that the gap between values stays at threshold");
  f.field("threshold", threshold, "gap that a learnt alpha allows");
  f.field("samples", samples, "actions drawn for each of the three parts of the log-sum-exp");
}

void CqlConfig::validate() const {
  OfflineConfig::validate();
  require_setting(policy_learning_rate > 0, "policy_learning_rate", "Give a positive number.");
  require_setting(critic_learning_rate > 0, "critic_learning_rate", "Give a positive number.");
  require_setting(target_share > 0 && target_share <= 1, "target_share", "Give a share above 0, at most 1.");
  require_setting(initial_temperature > 0, "initial_temperature", "Give a positive number.");
  require_setting(conservative_weight >= 0, "conservative_weight", "Give 0 or more.");
  require_setting(samples >= 1, "samples", "Draw 1 or more.");
  if (alpha) require_setting(*alpha >= 0, "alpha", "Give 0 or more.");
}

CqlAgent::CqlAgent(const environments::Spec& spec, const CqlConfig& config)
    : config_(config),
      encoder_(spec),
      range_(spec),
      policy_(models::make_network(config.network, encoder_.shape(), 2 * range_.numbers(), 1.0,
                                   derive(config.seed, {hash("policy")}))),
      critics_(config.network, encoder_.shape(), range_.numbers(), config.seed) {
  log_temperature_ = at::full({1}, std::log(config.initial_temperature), at::kFloat).requires_grad_();
  log_alpha_ = at::full({1}, std::log(std::max(config.alpha.value_or(1.0), 1e-20)), at::kFloat).requires_grad_();
  policy_optimizer_ = plain_adam(policy_->weights());
  critic_optimizer_ = plain_adam(critics_.trained());
  temperature_optimizer_ = plain_adam({{"log_temperature", log_temperature_}});
  alpha_optimizer_ = plain_adam({{"log_alpha", log_alpha_}});
}

CqlAgent::Drawn CqlAgent::draw(const Tensor& encoded, const Tensor& noise) const {
  const auto outputs = policy_->forward(encoded);
  const auto mean = outputs.narrow(1, 0, range_.numbers());
  const auto log_deviation =
      outputs.narrow(1, range_.numbers(), range_.numbers()).clamp(least_log_deviation, most_log_deviation);
  const auto raw = mean + at::exp(log_deviation) * noise;
  const auto normal = -0.5 * noise.square() - log_deviation - log_sqrt_two_pi;
  const auto log_slope = 2 * (std::numbers::ln2 - raw - at::softplus(-2 * raw));  // log(1 - tanh(raw)^2)
  return {at::tanh(raw), (normal - log_slope).sum(1)};
}

Tensor CqlAgent::best(const Tensor& observations) const {
  return at::tanh(policy_->forward(encoder_(observations)).narrow(1, 0, range_.numbers()));
}

CqlAgent::Noise CqlAgent::noise(std::int64_t rows, Random& random) const {
  const auto drawn = rows * config_.samples, numbers = range_.numbers();
  return {.now = normal_noise(drawn, numbers, random),
          .next = normal_noise(drawn, numbers, random),
          .uniform = uniform_noise(drawn, numbers, random),
          .policy = normal_noise(rows, numbers, random)};
}

Tensor CqlAgent::conservative(int critic, const Tensor& encoded, const Tensor& next_encoded, const Transitions& batch,
                              const Noise& noise) const {
  const auto n = config_.samples, rows = encoded.size(0);
  Drawn now, next;
  const auto repeated = encoded.repeat_interleave(n, 0);
  {
    const at::NoGradGuard no_gradient;
    now = draw(repeated, noise.now);
    next = draw(next_encoded.repeat_interleave(n, 0), noise.next);
  }
  const double uniform_logprob = -static_cast<double>(range_.numbers()) * std::numbers::ln2;
  const auto weighed = [&](const Tensor& actions) { return critics_.value(critic, repeated, actions); };
  const auto here = (weighed(now.actions) - now.logprobs).view({rows, n});
  const auto there = (weighed(next.actions) - next.logprobs).view({rows, n});
  const auto anywhere = (weighed(noise.uniform) - uniform_logprob).view({rows, n});
  const auto all = at::cat({here, there, anywhere}, 1);
  const auto gap = (at::logsumexp(all, {1}) - critics_.value(critic, encoded, batch.actions)).mean();
  return config_.conservative_weight * (gap - config_.threshold);
}

CqlAgent::Update CqlAgent::update(const Transitions& batch, const Noise& noise) {
  const auto encoded = encoder_(batch.observations), next_encoded = encoder_(batch.next_observations);
  Update result;
  Tensor wanted;
  {
    const at::NoGradGuard no_gradient;
    const auto next = best(batch.next_observations);
    wanted = batch.rewards + batch.discounts * critics_.least_target(next_encoded, next);
  }
  const Tensor held[] = {conservative(0, encoded, next_encoded, batch, noise),
                         conservative(1, encoded, next_encoded, batch, noise)};
  const auto held_down = held[0] + held[1];
  const auto alpha_now = [&] { return at::exp(log_alpha_).clamp(0, most_alpha); };
  if (!config_.alpha)
    descend(*alpha_optimizer_, -(alpha_now() * (0.5 * held_down.detach())).mean(), config_.policy_learning_rate);
  result.alpha = config_.alpha.value_or(alpha_now().item<double>());
  const auto of_shown = critics_.value(0, encoded, batch.actions);
  const auto critic_loss = at::mse_loss(of_shown, wanted) +
                           at::mse_loss(critics_.value(1, encoded, batch.actions), wanted) + result.alpha * held_down;
  descend(*critic_optimizer_, critic_loss, config_.critic_learning_rate);

  const auto now = draw(encoded, noise.policy);
  const auto target_entropy = -static_cast<double>(range_.numbers());
  descend(*temperature_optimizer_, -(at::exp(log_temperature_) * (now.logprobs.detach() + target_entropy)).mean(),
          config_.policy_learning_rate);
  result.temperature = std::exp(log_temperature_.item<double>());
  const auto policy_loss = (result.temperature * now.logprobs - critics_.least(encoded, now.actions)).mean();
  descend(*policy_optimizer_, policy_loss, config_.policy_learning_rate);

  critics_.move_targets(config_.target_share);
  result.critic_loss = critic_loss.item<double>();
  result.conservative_loss = result.alpha * held_down.item<double>();
  result.policy_loss = policy_loss.item<double>();
  result.value = of_shown.mean().item<double>();
  return result;
}

models::NamedWeights CqlAgent::weights() const {
  auto all = critics_.weights();
  add_weights(all, "policy.", *policy_);
  all.emplace_back("log_temperature", log_temperature_);
  all.emplace_back("log_alpha", log_alpha_);
  return all;
}

void CqlAgent::save(State& state) const {
  policy_optimizer_->save(state, "policy");
  critic_optimizer_->save(state, "critic");
  temperature_optimizer_->save(state, "temperature");
  alpha_optimizer_->save(state, "alpha");
}

void CqlAgent::restore(const State& state) {
  policy_optimizer_->restore(state, "policy");
  critic_optimizer_->restore(state, "critic");
  temperature_optimizer_->restore(state, "temperature");
  alpha_optimizer_->restore(state, "alpha");
}

std::unique_ptr<CqlAgent> train_cql(const environments::Spec& spec, std::span<const data::Trajectory> episodes,
                                    const CqlConfig& config, Run& run) {
  config.validate();
  auto agent = std::make_unique<CqlAgent>(spec, config);
  CqlAgent::Update last;
  auto parts = parts_of(*agent);
  parts.learn = [&](const Transitions& batch, double, Random& random) {
    last = agent->update(batch, agent->noise(config.batch, random));
    return Tensor();
  };
  parts.log = [&](MetricRow& row) {
    row.add("train/critic_loss", last.critic_loss);
    row.add("train/conservative_loss", last.conservative_loss);
    row.add("train/actor_loss", last.policy_loss);
    row.add("train/temp", last.temperature);
    row.add("train/alpha", last.alpha);
    row.add("train/value", last.value);
  };
  train_offline(parts, recorded(spec, episodes, config, &agent->range()), config, run);
  return agent;
}

}  // namespace rlhf::control
