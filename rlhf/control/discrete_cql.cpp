#include "rlhf/control/discrete_cql.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/logsumexp.h>

#include "rlhf/core/require.h"

namespace rlhf::control {

void DiscreteCqlConfig::fields(Fields& f) {
  OfflineConfig::fields(f);
  f.group("network", network, "of the values");
  f.field("learning_rate", learning_rate, "of Adam");
  f.field("alpha", alpha, "weight of the conservative term; 0 = double DQN on recorded steps");
  f.field("target_every", target_every, "updates between copies to the target network");
}

void DiscreteCqlConfig::validate() const {
  OfflineConfig::validate();
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
  require_setting(alpha >= 0, "alpha", "Give 0 or more.");
  require_setting(target_every >= 1, "target_every", "Give 1 or more.");
}

DqnConfig DiscreteCqlConfig::learner() const {
  DqnConfig dqn;
  dqn.network = network;
  dqn.learning_rate = learning_rate;
  dqn.adam.max_grad_norm = 0;
  dqn.double_q = true;
  dqn.epsilon_start = dqn.epsilon_end = 0;  // nobody acts
  dqn.seed = seed;
  return dqn;
}

DqnLoss discrete_cql_loss(const QNetwork& online, const QNetwork& target, const Transitions& batch,
                          const DiscreteCqlConfig& config) {
  auto result = dqn_loss(online, target, batch, config.learner());
  const auto values = online.values(batch.observations);  // [rows, choices]
  const auto shown = values.gather(1, batch.actions.unsqueeze(1)).squeeze(1);
  result.loss = result.loss + config.alpha * (at::logsumexp(values, {1}) - shown).mean();
  return result;
}

std::unique_ptr<QNetwork> train_discrete_cql(const environments::Spec& spec, std::span<const data::Trajectory> episodes,
                                             const DiscreteCqlConfig& config, Run& run) {
  config.validate();
  QLearner learner(spec, config.learner(),
                   [&](const QNetwork& online, const QNetwork& target, const Transitions& batch) {
                     return discrete_cql_loss(online, target, batch, config);
                   });
  auto parts = learner.agent(0);
  std::int64_t updates = run.first_step();
  parts.learn = [&](const Transitions& batch, double, Random&) {
    auto errors = learner.learn(batch);
    if (++updates % config.target_every == 0) learner.copy_to_target();
    return errors;
  };
  train_offline(parts, recorded(spec, episodes, config), config, run);
  return learner.take();
}

}  // namespace rlhf::control
