#pragma once
#include "rlhf/control/on_policy.h"
#include "rlhf/models/actor_critic.h"

namespace rlhf::control {

/// The loop of an algorithm that is one `Metrics update(agent, Optimizer, rollout, config, index)` after each rollout.
template <class Optimizer, class Metrics>
void train_actor_critic(models::ActorCritic& agent, environments::VectorEnvironment& environments, const auto& config,
                        const auto& optimizer_config, const OnPolicyHooks& hooks, Run& run) {
  config.validate();
  Optimizer optimizer(agent.weights(), optimizer_config);
  Collector collector(environments, agent, config.steps, config.seed);
  Metrics metrics;
  const OnPolicyAgent parts{
      .learn = [&](std::int64_t index,
                   const Rollout& rollout) { metrics = update(agent, optimizer, rollout, config, index); },
      .log = [&](MetricRow& row) { metrics.log(row); },
      .write_model = [&](const std::filesystem::path& folder) { agent.save(folder); },
      .read_model = [&](const std::filesystem::path& folder) { agent.restore(folder); },
      .save = [&](State& state) { optimizer.save(state, "optimizer"); },
      .restore = [&](const State& state) { optimizer.restore(state, "optimizer"); }};
  train(parts, collector, config.plan(), hooks, run);
}

}  // namespace rlhf::control
