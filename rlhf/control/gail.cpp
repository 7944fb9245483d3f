#include "rlhf/control/gail.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/tensor.h>

#include "rlhf/control/detail/descend.h"
#include "rlhf/core/require.h"

namespace rlhf::control {

void GailConfig::fields(Fields& f) {
  f.group("discriminator", discriminator, "the network that tells what was shown from what is played");
  f.field("discriminator_learning_rate", learning_rate, "of Adam");
  f.field("discriminator_batch", batch, "steps of each side in one of its updates");
  f.field("discriminator_updates", updates, "of it, after each rollout");
  ppo.fields(f);
}

void GailConfig::validate() const {
  require_setting(learning_rate > 0, "discriminator_learning_rate", "Give a positive number.");
  require_setting(batch >= 1, "discriminator_batch", "Give 1 or more.");
  require_setting(updates >= 1, "discriminator_updates", "Give 1 or more.");
  ppo.validate();
}

Discriminator::Discriminator(const environments::Spec& spec, Shown shown, const GailConfig& config)
    : config_(config), encoder_(spec), shown_(std::move(shown)) {
  if (const auto* space = std::get_if<environments::Discrete>(&spec.action)) choices_ = std::ssize(space->choices);
  const auto read = input(shown_);
  mean_ = read.mean(0);
  const auto spread = read.std({0}, /*unbiased=*/false);
  spread_ = spread.masked_fill(spread < 1e-4, 1);  // what never varied there is read as it is
  network_ = models::make_network(config.discriminator, {read.size(1)}, 1, 1.0,
                                  derive(config.ppo.seed, {hash("discriminator")}));
  optimizer_ = std::make_unique<algorithms::AdamW>(network_->weights(), algorithms::AdamConfig{.max_grad_norm = 0});
}

Tensor Discriminator::input(const Shown& steps) const {
  const auto seen = encoder_(steps.observations).flatten(1);
  const auto done = choices_ > 0 ? at::one_hot(steps.actions, choices_).to(at::kFloat) : steps.actions.flatten(1);
  const auto read = at::cat({seen, done}, 1);
  return mean_.defined() ? (read - mean_) / spread_ : read;
}

Tensor Discriminator::logits(const Shown& steps) const { return network_->forward(input(steps)).squeeze(1); }

Tensor Discriminator::rewards(const Shown& steps) const {
  const at::NoGradGuard no_gradient;
  return at::softplus(logits(steps));
}

void Discriminator::update(const Shown& played, std::int64_t index) {
  Random random(derive(config_.ppo.seed, {hash("discriminator"), static_cast<std::uint64_t>(index)}));
  const auto draw = [&](const Shown& from) {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < config_.batch; ++i) rows.push_back(random.below(from.steps()));
    return from.at(at::tensor(rows));
  };
  for (std::int64_t i = 0; i < config_.updates; ++i) {
    const auto of_shown = logits(draw(shown_)), of_played = logits(draw(played));
    // -log D where it was shown, -log(1 - D) where it was not
    const auto loss = 0.5 * (at::softplus(-of_shown).mean() + at::softplus(of_played).mean());
    descend(*optimizer_, loss, config_.learning_rate);
    loss_ = loss.item<double>();
    knows_shown_ = (of_shown > 0).to(at::kDouble).mean().item<double>();
    knows_played_ = (of_played < 0).to(at::kDouble).mean().item<double>();
  }
}

void Discriminator::log(MetricRow& row) const {
  row.add("disc/disc_loss", loss_);
  row.add("disc/disc_acc_expert", knows_shown_);
  row.add("disc/disc_acc_gen", knows_played_);
}

void Discriminator::save(State& state) const {
  optimizer_->save(state, "discriminator");
  for (const auto& [name, weight] : network_->weights()) state.tensors["discriminator." + name] = weight.detach();
  state.values["discriminator.log"] = {loss_, knows_shown_, knows_played_};
}

void Discriminator::restore(const State& state) {
  const at::NoGradGuard no_gradient;
  optimizer_->restore(state, "discriminator");
  for (auto& [name, weight] : network_->weights()) weight.copy_(state.tensors.at("discriminator." + name));
  const auto& log = state.values.at("discriminator.log");
  loss_ = log.at(0), knows_shown_ = log.at(1), knows_played_ = log.at(2);
}

void train(models::ActorCritic& agent, environments::VectorEnvironment& environments, const Shown& shown,
           const GailConfig& config, Run& run) {
  config.validate();
  Discriminator discriminator(environments.spec(), shown, config);
  const auto played = [&](const Rollout& rollout) {
    return Shown{rollout.flat(rollout.observations), rollout.flat(rollout.sent)};
  };
  train(agent, environments, config.ppo,
        {.reward =
             [&](const Rollout& rollout) { return discriminator.rewards(played(rollout)).view_as(rollout.rewards); },
         .after = [&](std::int64_t index, const Rollout& rollout) { discriminator.update(played(rollout), index); },
         .log = [&](MetricRow& row) { discriminator.log(row); },
         .save = [&](State& state) { discriminator.save(state); },
         .restore = [&](const State& state) { discriminator.restore(state); }},
        run);
}

}  // namespace rlhf::control
