#include "rlhf/control/dqfd.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/smooth_l1_loss.h>

#include "rlhf/core/require.h"

namespace rlhf::control {
namespace {

/// r + discount * Q'(s', the online network's choice)
Tensor double_target(const Windows& window, const Tensor& online_next, const Tensor& target_next) {
  const auto choice = at::argmax(online_next, 1, /*keepdim=*/true);
  return window.rewards + window.discounts * target_next.gather(1, choice).squeeze(1);
}

}  // namespace

DqfdConfig::DqfdConfig() {
  learning_rate = 6.25e-5;
  adam.epsilon = 1.5e-4;
  double_q = duelling = true;
  target_every = 8000;
  epsilon_start = 0.1;
  epsilon_end = 0.01;
  start = 0;
  replay.steps = 3;
  replay.prioritised = true;
  replay.alpha = 0.5;
  replay.beta = replay.beta_end = 0.4;
  replay.epsilon = 1e-3;
  replay.demonstration_bonus = 3.0;
  replay.first_steps = true;
}

void DqfdConfig::fields(Fields& f) {
  DqnConfig::fields(f);
  f.field("margin", margin, "by which a demonstrated action is to be worth more than any other");
  f.field("margin_weight", margin_weight, "of the loss of demonstrations");
  f.field("td_weight", td_weight, "of the temporal-difference losses; 0 = imitation alone");
  f.field("l2", l2, "of the squares of all weights");
  f.field("pretrain_updates", pretrain_updates, "minibatches of demonstrations before it acts");
}

void DqfdConfig::validate() const {
  DqnConfig::validate();
  require_setting(margin >= 0, "margin", "Give 0 or more.");
  require_setting(margin_weight >= 0, "margin_weight", "Give 0 or more.");
  require_setting(td_weight >= 0, "td_weight", "Give 0 or more.");
  require_setting(l2 >= 0, "l2", "Give 0 or more.");
  require_setting(pretrain_updates >= 0, "pretrain_updates", "Give 0 or more.");
  require_setting(double_q, "double_q", "Leave it on: DQfD's targets are double ones.");
}

DqnLoss dqfd_loss(const QNetwork& online, const QNetwork& target, const Transitions& batch, const DqfdConfig& config) {
  const auto rows = batch.actions.size(0);
  Tensor wanted_one, wanted_n;
  {
    const at::NoGradGuard no_gradient;
    const auto next = at::cat({batch.first.next_observations, batch.next_observations});  // one pass for both
    const auto online_next = online.values(next), target_next = target.values(next);
    wanted_one = double_target(batch.first, online_next.narrow(0, 0, rows), target_next.narrow(0, 0, rows));
    wanted_n = double_target({batch.rewards, batch.next_observations, batch.discounts},
                             online_next.narrow(0, rows, rows), target_next.narrow(0, rows, rows));
  }
  const auto values = online.values(batch.observations);  // [rows, choices]
  const auto done = batch.actions.unsqueeze(1);
  const auto value = values.gather(1, done).squeeze(1);
  const auto distance = [&](const Tensor& wanted) {
    return config.huber ? at::smooth_l1_loss(value, wanted, at::Reduction::None) : (value - wanted).square();
  };
  auto loss = config.td_weight * (batch.weights * (distance(wanted_one) + distance(wanted_n))).mean();
  if (batch.demonstrated.defined() && config.margin_weight > 0) {
    const auto margins = at::full_like(values.detach(), config.margin).scatter(1, done, 0.0);
    const auto short_of = std::get<0>((values + margins).max(1)) - value;
    loss = loss + config.margin_weight * (batch.demonstrated * short_of).mean();
  }
  if (config.l2 > 0)
    for (const auto& [name, weight] : online.weights()) {
      const auto flat = weight.flatten();
      loss = loss + config.l2 * at::dot(flat, flat);
    }
  return {.loss = loss, .errors = wanted_one - value.detach(), .value = value.detach().mean().item<double>()};
}

DqfdLearner::DqfdLearner(const environments::Spec& spec, const DqfdConfig& config)
    : spec_(spec),
      config_(config),
      learner_(spec, config, [this](const QNetwork& online, const QNetwork& target, const Transitions& batch) {
        return dqfd_loss(online, target, batch, config_);
      }) {
  config_.validate();
  config_.replay.first_steps = true;
}

void DqfdLearner::pretrain(std::span<const data::Trajectory> demonstrations, const RewardSource& reward,
                           std::int64_t updates, std::uint64_t round) {
  if (updates == 0 || demonstrations.empty()) return;
  auto kept = config_.replay;
  kept.capacity = kept.steps;  // nothing but the demonstrations
  Replay replay(spec_, 1, kept);
  replay.set_reward(reward);
  replay.keep(demonstrations);
  Random random(derive(config_.seed, {hash("pretraining"), round}));
  // As many updates between two copies to the target network as when it acts.
  const auto copy_every =
      std::max<std::int64_t>(1, config_.target_every / config_.train_every * config_.gradient_steps);
  for (std::int64_t update = 0; update < updates; ++update) {
    if (update % copy_every == 0) learner_.copy_to_target();
    const auto batch = replay.sample(config_.batch, random);
    replay.update_priorities(batch.places, learner_.learn(batch));
  }
}

void DqfdLearner::train(environments::VectorEnvironment& environments, const OffPolicyHooks& hooks, Run& run) {
  control::train(learner_.agent(run.first_step()), environments, config_, hooks, run);
}

}  // namespace rlhf::control
