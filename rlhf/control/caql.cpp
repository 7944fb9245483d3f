#include "rlhf/control/caql.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include <algorithm>

#include "rlhf/control/detail/descend.h"
#include "rlhf/control/detail/parts_of.h"
#include "rlhf/control/noise.h"
#include "rlhf/control/twin_critics.h"
#include "rlhf/core/error.h"
#include "rlhf/core/require.h"

namespace rlhf::control {

void CaqlConfig::fields(Fields& f) {
  OffPolicyConfig::fields(f);
  f.group("network", network, "of the values");
  f.group("maximiser", maximiser, "who looks for the best action");
  f.field("learning_rate", learning_rate, "of Adam");
  f.field("target_share", target_share, "how far the target network moves at every update");
  f.field("noise_start", noise_start, "spread of what is added to actions within ±1, at first ...");
  f.field("noise_end", noise_end, "... and after half of training");
}

void CaqlConfig::validate() const {
  OffPolicyConfig::validate();
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
  require_setting(target_share > 0 && target_share <= 1, "target_share", "Give a share above 0, at most 1.");
  require_setting(noise_start >= 0, "noise_start", "Give 0 or more.");
  require_setting(noise_end >= 0, "noise_end", "Give 0 or more.");
}

CaqlAgent::CaqlAgent(const environments::Spec& spec, const CaqlConfig& config)
    : config_(config), encoder_(spec), range_(spec) {
  if (config.network.architecture != models::Architecture::mlp)
    throw Error({.category = Category::usage,
                 .where = "network.architecture",
                 .what = "maxima over actions are sought in fully connected networks",
                 .fix = "Take network.architecture = mlp; sac and td3 learn from pictures through convolutions."});
  if (config.maximiser.kind == Maximiser::exact && config.network.activation != models::Activation::relu)
    throw Error({.category = Category::usage,
                 .where = "maximiser.kind",
                 .what = "an exact maximum needs a network with relu",
                 .fix = "Set network.activation = relu, or maximiser.kind = gradient."});
  std::int64_t seen = 1;
  for (const auto side : encoder_.shape()) seen *= side;
  const auto inputs = seen + range_.numbers();
  for (auto* network : {&online_, &target_})
    *network = models::make_network(config.network, {inputs}, 1, 1.0, derive(config.seed, {hash("q")}));
  optimizer_ = std::make_unique<algorithms::AdamW>(online_->weights(), algorithms::AdamConfig{.max_grad_norm = 10});
}

Maxima CaqlAgent::best(const Tensor& observations, Random& random) const {
  return maximise(*online_, encoder_(observations), range_.numbers(), config_.maximiser, random);
}

Tensor CaqlAgent::best(const Tensor& observations) const {
  Random random(derive(config_.seed, {hash("best")}));
  return best(observations, random).actions;
}

CaqlAgent::Update CaqlAgent::update(const Transitions& batch, Random& random) {
  const auto with = [](const Tensor& encoded, const Tensor& actions) {
    return at::cat({encoded.flatten(1), actions}, 1);
  };
  const auto next = best(batch.next_observations, random);
  Tensor wanted;
  {
    const at::NoGradGuard no_gradient;
    const auto value = target_->forward(with(encoder_(batch.next_observations), next.actions)).squeeze(1);
    wanted = batch.rewards + batch.discounts * value;
  }
  const auto value = online_->forward(with(encoder_(batch.observations), batch.actions)).squeeze(1);
  const auto errors = (value - wanted).square();
  const auto loss = (config_.replay.prioritised ? errors * batch.weights : errors).mean();
  descend(*optimizer_, loss, config_.learning_rate);
  models::copy_weights(*online_, *target_, config_.target_share);
  return {.loss = loss.item<double>(),
          .value = value.detach().mean().item<double>(),
          .unproven = static_cast<double>(next.unproven) / static_cast<double>(value.size(0)),
          .errors = wanted - value.detach()};
}

models::NamedWeights CaqlAgent::weights() const {
  models::NamedWeights all;
  add_weights(all, "q.", *online_);
  add_weights(all, "target.", *target_);
  return all;
}

std::unique_ptr<CaqlAgent> train_caql(environments::VectorEnvironment& environments, const CaqlConfig& config,
                                      const OffPolicyHooks& hooks, Run& run) {
  config.validate();
  auto agent = std::make_unique<CaqlAgent>(environments.spec(), config);
  CaqlAgent::Update last;
  const auto numbers = agent->range().numbers();
  auto parts = parts_of(*agent);
  keep_log(parts, {&last.loss, &last.value, &last.unproven});
  parts.act = [&](const Tensor& seen, double progress, bool exploring, Random& random) {
    const auto noise = normal_noise(seen.size(0), numbers, random);
    if (exploring) return noise.clamp(-1, 1);
    const double spread = config.noise_start + (config.noise_end - config.noise_start) * std::min(1.0, 2 * progress);
    return (agent->best(seen, random).actions + spread * noise).clamp(-1, 1);
  };
  parts.learn = [&](const Transitions& batch, double, Random& random) {
    last = agent->update(batch, random);
    return last.errors;
  };
  parts.log = [&](MetricRow& row) {
    row.add("train/loss", last.loss);
    row.add("train/value", last.value);
    if (config.maximiser.kind == Maximiser::exact) row.add("train/unproven", last.unproven);
  };
  train(parts, environments, config, hooks, run);
  return agent;
}

}  // namespace rlhf::control
