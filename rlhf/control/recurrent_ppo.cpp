#include "rlhf/control/recurrent_ppo.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "rlhf/control/weights_file.h"
#include "rlhf/core/error.h"

namespace rlhf::control {

RecurrentPlayer::RecurrentPlayer(const models::RecurrentActorCritic& agent, std::int64_t environments)
    : agent_(agent), memory_(agent.first_memory(environments)) {}

models::ActorCritic::Judged RecurrentPlayer::judge(const Tensor& observations) {
  const at::NoGradGuard no_gradient;
  auto [judged, memory] = agent_.step(agent_.encode()(observations), memory_);
  memory_ = memory;
  return judged;
}

Tensor RecurrentPlayer::act(const Tensor& observations) {
  return agent_.within_bounds(models::mode(judge(observations).policy));
}

Tensor RecurrentPlayer::values(const Tensor& observations) const {
  const at::NoGradGuard no_gradient;
  return agent_.step(agent_.encode()(observations), memory_).judged.values;
}

void RecurrentPlayer::ended(const environments::VectorStep& step) {
  memory_ = memory_.masked_fill(step.terminated.logical_or(step.truncated).unsqueeze(1), 0);
}

Actor RecurrentPlayer::actor() {
  return {.judge = [this](const Tensor& seen) { return judge(seen); },
          .values = [this](const Tensor& seen) { return values(seen); },
          .within_bounds = [this](const Tensor& actions) { return agent_.within_bounds(actions); },
          .ended = [this](const environments::VectorStep& step) { ended(step); }};
}

Tensor begins_of(const Rollout& rollout) {
  auto begins = at::zeros(rollout.rewards.sizes(), at::kFloat);
  const auto steps = rollout.rewards.size(1);
  for (std::size_t i = 0; i + 1 < rollout.starts.size(); ++i)
    if (rollout.starts[i] % steps != 0) begins.mutable_data_ptr<float>()[rollout.starts[i]] = 1;
  return begins;
}

void train(models::RecurrentActorCritic& agent, environments::VectorEnvironment& environments, const PpoConfig& config,
           const OnPolicyHooks& hooks, Run& run) {
  config.validate();
  if (config.minibatch % config.steps != 0)
    throw Error({.category = Category::usage,
                 .where = "minibatch",
                 .what = fmt::format("{} steps are no whole number of sequences of {}", config.minibatch, config.steps),
                 .fix = "A memory needs whole sequences: take a multiple of steps."});
  algorithms::AdamW optimizer(agent.weights(), config.adam);
  RecurrentPlayer player(agent, config.envs);
  Collector collector(environments, player.actor(), config.steps, config.seed);
  auto before = player.memory();  // what was remembered when the rollout began
  PpoMetrics metrics;
  const auto learn = [&](std::int64_t index, const Rollout& rollout) {
    const auto encoded = agent.encode()(rollout.flat(rollout.observations));
    const auto begins = begins_of(rollout);
    const auto judge = [&](const Tensor& rows) {
      const auto sequences = rows.view({-1, config.steps}).select(1, 0).floor_divide(config.steps);
      auto shape = encoded.sizes().vec();
      shape[0] = config.steps;
      shape.insert(shape.begin(), sequences.size(0));
      return agent.unroll(encoded.index_select(0, rows).view(shape), begins.index_select(0, sequences),
                          before.index_select(0, sequences));
    };
    metrics = update(PpoJudge{.judge = judge, .together = config.steps}, optimizer, rollout, config, index);
    before = player.memory();
  };
  const OnPolicyAgent parts{
      .learn = learn,
      .log = [&](MetricRow& row) { metrics.log(row); },
      .write_model = [&](const std::filesystem::path& folder) { write_weights(folder, agent.weights()); },
      .read_model = [&](const std::filesystem::path& folder) { read_weights(folder, agent.weights()); },
      .save =
          [&](State& state) {
            optimizer.save(state, "optimizer");
            state.tensors["memory"] = player.memory();
          },
      .restore =
          [&](const State& state) {
            optimizer.restore(state, "optimizer");
            player.set_memory(state.tensors.at("memory"));
            before = player.memory();
          }};
  train(parts, collector, config.plan(), hooks, run);
}

}  // namespace rlhf::control
