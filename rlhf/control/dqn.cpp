#include "rlhf/control/dqn.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/smooth_l1_loss.h>

#include "rlhf/control/detail/descend.h"
#include "rlhf/control/weights_file.h"
#include "rlhf/core/error.h"
#include "rlhf/core/require.h"

namespace rlhf::control {

void DqnConfig::fields(Fields& f) {
  OffPolicyConfig::fields(f);
  f.group("network", network, "of the values");
  f.field("learning_rate", learning_rate, "of Adam");
  f.group("adam", adam, "the optimiser");
  f.field("target_every", target_every, "steps of the loop between copies to the target network");
  f.field("target_share", target_share, "how far the target network is moved then; 1 = it becomes a copy");
  f.field("epsilon_start", epsilon_start, "share of random actions at first");
  f.field("epsilon_end", epsilon_end, "share of random actions at last");
  f.field("epsilon_share", epsilon_share, "of training, over which the share falls");
  f.field("double_q", double_q, "the online network picks the next action, the target network values it");
  f.field("duelling", duelling, "value and advantages apart");
  f.field("huber", huber, "errors beyond 1 count linearly; false: squared error");
}

void DqnConfig::validate() const {
  OffPolicyConfig::validate();
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
  require_setting(target_every >= 1, "target_every", "Give 1 or more.");
  require_setting(target_share > 0 && target_share <= 1, "target_share", "Give a share above 0, at most 1.");
  for (const double share : {epsilon_start, epsilon_end})
    require_setting(share >= 0 && share <= 1, "epsilon_end", "Give shares from 0 to 1.");
  require_setting(epsilon_share > 0 && epsilon_share <= 1, "epsilon_share", "Give a share above 0, at most 1.");
}

QNetwork::QNetwork(const environments::Spec& spec, const DqnConfig& config, std::uint64_t seed)
    : encoder_(spec), duelling_(config.duelling) {
  const auto* space = std::get_if<environments::Discrete>(&spec.action);
  if (!space)
    throw Error({.category = Category::usage,
                 .where = "environment " + spec.name,
                 .what = "its actions are numbers; DQN's are choices",
                 .fix = "Take sac, td3 or control_ppo."});
  choices_ = std::ssize(space->choices);
  network_ = models::make_network(config.network, encoder_.shape(), choices_ + (duelling_ ? 1 : 0), 1.0, seed);
}

Tensor QNetwork::values(const Tensor& observations) const {
  const auto outputs = network_->forward(encoder_(observations));
  if (!duelling_) return outputs;
  const auto advantages = outputs.narrow(1, 0, choices_);
  return outputs.narrow(1, choices_, 1) + advantages - advantages.mean(1, /*keepdim=*/true);
}

DqnLoss dqn_loss(const QNetwork& online, const QNetwork& target, const Transitions& batch, const DqnConfig& config) {
  Tensor wanted;
  {
    const at::NoGradGuard no_gradient;
    const auto next = target.values(batch.next_observations);
    const auto value = config.double_q
                           ? next.gather(1, at::argmax(online.values(batch.next_observations), 1, true)).squeeze(1)
                           : std::get<0>(next.max(1));
    wanted = batch.rewards + batch.discounts * value;
  }
  const auto value = online.values(batch.observations).gather(1, batch.actions.unsqueeze(1)).squeeze(1);
  const auto each = config.huber ? at::smooth_l1_loss(value, wanted, at::Reduction::None) : (value - wanted).square();
  return {.loss = (config.replay.prioritised ? each * batch.weights : each).mean(),
          .errors = wanted - value.detach(),
          .value = value.detach().mean().item<double>()};
}

Tensor mostly_best(const QNetwork& network, const Tensor& seen, double epsilon, Random& random) {
  const at::NoGradGuard no_gradient;
  auto actions = at::argmax(network.values(seen), 1);
  for (std::int64_t i = 0; i < actions.numel(); ++i)
    if (random.uniform() < epsilon) actions.mutable_data_ptr<std::int64_t>()[i] = random.below(network.choices());
  return actions;
}

QLearner::QLearner(const environments::Spec& spec, const DqnConfig& config, Loss loss)
    : config_(config),
      loss_(std::move(loss)),
      online_(std::make_unique<QNetwork>(spec, config, derive(config.seed, {hash("q")}))),
      target_(std::make_unique<QNetwork>(spec, config, 0)),
      optimizer_(online_->weights(), config.adam) {
  copy_to_target();
}

Tensor QLearner::learn(const Transitions& batch) {
  const auto result = loss_(*online_, *target_, batch);
  descend(optimizer_, result.loss, config_.learning_rate);
  loss_sum_ += result.loss.item<double>();
  value_sum_ += result.value;
  ++updates_;
  return result.errors;
}

double QLearner::epsilon(double progress) const {
  return config_.epsilon_start +
         (config_.epsilon_end - config_.epsilon_start) * std::min(1.0, progress / config_.epsilon_share);
}

OffPolicyAgent QLearner::agent(std::int64_t first_step) {
  steps_ = first_step;
  return {.act =
              [this](const Tensor& seen, double progress, bool exploring, Random& random) {
                if (steps_++ % config_.target_every == 0) copy_to_target(config_.target_share);
                return mostly_best(*online_, seen, exploring ? 1.0 : epsilon(progress), random);
              },
          .learn = [this](const Transitions& batch, double, Random&) { return learn(batch); },
          .log = [this](MetricRow& row) { log(row); },
          .write_model = [this](const std::filesystem::path& folder) { write_weights(folder, online_->weights()); },
          .read_model = [this](const std::filesystem::path& folder) { read_weights(folder, online_->weights()); },
          .save = [this](State& state) { save(state); },
          .restore = [this](const State& state) { restore(state); }};
}

void QLearner::log(MetricRow& row) {
  row.add("rollout/exploration_rate",
          epsilon(static_cast<double>(steps_ * config_.envs) / static_cast<double>(config_.total_steps)));
  row.add("train/n_updates", static_cast<double>(optimizer_.steps()));
  if (updates_ == 0) return;
  row.add("train/loss", loss_sum_ / updates_);
  row.add("train/value", value_sum_ / updates_);
  loss_sum_ = value_sum_ = updates_ = 0;
}

void QLearner::save(State& state) const {
  optimizer_.save(state, "optimizer");
  for (const auto& [name, weight] : target_->weights()) state.tensors["target." + name] = weight.detach();
  state.values["sums"] = {loss_sum_, value_sum_, updates_};
}

void QLearner::restore(const State& state) {
  const at::NoGradGuard no_gradient;
  optimizer_.restore(state, "optimizer");
  for (auto& [name, weight] : target_->weights()) weight.copy_(state.tensors.at("target." + name));
  const auto& sums = state.values.at("sums");
  loss_sum_ = sums.at(0), value_sum_ = sums.at(1), updates_ = sums.at(2);
}

std::unique_ptr<QNetwork> train_dqn(environments::VectorEnvironment& environments, const DqnConfig& config,
                                    const OffPolicyHooks& hooks, Run& run) {
  config.validate();
  QLearner learner(environments.spec(), config,
                   [&](const QNetwork& online, const QNetwork& target, const Transitions& batch) {
                     return dqn_loss(online, target, batch, config);
                   });
  train(learner.agent(run.first_step()), environments, config, hooks, run);
  return learner.take();
}

}  // namespace rlhf::control
