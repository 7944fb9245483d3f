#include "rlhf/control/off_policy.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <cmath>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/require.h"
#include "rlhf/core/safetensors.h"

namespace rlhf::control {

void OffPolicyConfig::fields(Fields& f) {
  f.field("total_steps", total_steps, "steps of all environments together");
  f.field("envs", envs, "environments stepped together");
  f.field("start", start, "steps before the first update");
  f.field("batch", batch, "rows of a minibatch");
  f.field("train_every", train_every, "steps of the loop between two trainings");
  f.field("gradient_steps", gradient_steps, "updates of one training");
  f.group("replay", replay, "what is remembered, and what is drawn from it");
  f.field("report_every", report_every, "steps of the loop between two rows of metrics");
  f.field("checkpoint_every", checkpoint_every, "steps of the loop between checkpoints; 0 = at the end only");
  f.field("seed", seed, "of everything that chance decides");
}

void OffPolicyConfig::validate() const {
  require_setting(envs >= 1, "envs", "Give 1 or more.");
  require_setting(total_steps >= envs, "total_steps", "Give at least one step of each environment.");
  require_setting(batch >= 1, "batch", "Give 1 or more rows.");
  require_setting(train_every >= 1, "train_every", "Give 1 or more.");
  require_setting(gradient_steps >= 1, "gradient_steps", "Give 1 or more.");
  require_setting(report_every >= 1, "report_every", "Give 1 or more.");
}

namespace {

struct Row {
  const OffPolicyAgent& agent;
  const EpisodeLog& episodes;
  std::int64_t steps;
  double steps_per_second;

  void log(MetricRow& row) const {
    row.add("rollout/steps", static_cast<double>(steps));
    row.add("rollout/episodes", static_cast<double>(episodes.finished()));
    if (episodes.finished() > 0) {
      row.add("rollout/ep_rew_mean", episodes.mean_return());
      row.add("rollout/ep_len_mean", episodes.mean_length());
    }
    agent.log(row);
    row.add("time/steps_per_second", steps_per_second);
  }
};

/// Agents may scale actions; whoever judges a step sees it as the environment did.
RewardSource in_environment_units(RewardSource source, const OffPolicyAgent& agent) {
  if (!source.reward || !agent.to_environment) return source;
  return {.reward =
              [source, scale = agent.to_environment](const AskedSteps& steps) {
                return source.reward({steps.observations, scale(steps.actions), steps.next_observations});
              },
          .version = source.version};
}

}  // namespace

Rollout play_rollout(const OffPolicyAgent& agent, environments::VectorEnvironment& environments, std::int64_t steps,
                     std::uint64_t seed) {
  Recorder recorder(environments.count(), steps);
  Random random(derive(seed, {hash("actions")}));
  environments.reset(derive(seed, {hash("episodes")}));
  for (bool full = false; !full;) {
    const auto actions = agent.act(environments.observations().clone(), 0.0, false, random);
    const auto sent = agent.to_environment ? agent.to_environment(actions) : actions;
    recorder.before(environments, sent);
    full = recorder.after(environments.step(sent));
  }
  return recorder.take();
}

void train(const OffPolicyAgent& agent, environments::VectorEnvironment& environments, const OffPolicyConfig& config,
           const OffPolicyHooks& hooks, Run& run) {
  config.validate();
  Replay replay(environments.spec(), config.envs, config.replay);
  replay.set_reward(in_environment_units(hooks.reward, agent));
  replay.keep(hooks.demonstrations);
  Recorder recorder(config.envs, std::max<std::int64_t>(hooks.rollout_steps, 1));
  EpisodeLog episodes(config.envs);
  Random acting(derive(config.seed, {hash("actions")})), learning(derive(config.seed, {hash("minibatches")}));
  environments.reset(derive(config.seed, {hash("episodes")}));
  if (const auto& before = run.restored()) {
    const auto& state = before->state;
    agent.read_model(before->model_folder);
    agent.restore(state);
    if (hooks.restore) hooks.restore(state);
    replay.restore(state, "replay");
    episodes.restore(state, "episodes");
    environments.set_state(as_bytes(state.tensors.at("environments")));
    acting = Random(acting.key(), state.values.at("acting"));
    learning = Random(learning.key(), state.values.at("learning"));
  }
  const auto checkpoint = [&](std::int64_t step) {
    State state;
    agent.save(state);
    if (hooks.save) hooks.save(state);
    replay.save(state, "replay");
    episodes.save(state, "episodes");
    state.tensors["environments"] = as_tensor(environments.state());
    state.values["acting"] = acting.position();
    state.values["learning"] = learning.position();
    run.checkpoint(step, agent.write_model, state);
  };
  const auto total = config.total_steps / config.envs;
  const double begin = steady_seconds();
  bool due = false;  // is a checkpoint?
  run.progress().start("training", total * config.envs, run.first_step() * config.envs);
  for (std::int64_t step = run.first_step(); step < total; ++step) {
    const double progress = static_cast<double>(step) / static_cast<double>(total);
    const bool exploring = (step + 1) * config.envs <= config.start;
    const auto seen = environments.observations().clone();
    const auto actions = agent.act(seen, progress, exploring, acting);
    const auto sent = agent.to_environment ? agent.to_environment(actions) : actions;
    if (hooks.rollout_steps > 0) recorder.before(environments, sent);
    const auto& outcome = environments.step(sent);
    const bool rolled_out = hooks.rollout_steps > 0 && recorder.after(outcome);
    episodes.add(outcome);
    replay.add(seen, actions, outcome);
    if (!exploring && (step + 1) % config.train_every == 0 && replay.ready(1))
      for (std::int64_t i = 0; i < config.gradient_steps; ++i) {
        const auto batch = replay.sample(config.batch, learning, progress);
        replay.update_priorities(batch.places, agent.learn(batch, progress, learning));
      }
    const bool last = step + 1 == total;
    if ((step + 1) % config.report_every == 0 || last) {
      run.progress().set((step + 1) * config.envs);
      const double seconds = steady_seconds() - begin;
      run.report(step, Row{agent, episodes, (step + 1) * config.envs,
                           static_cast<double>((step + 1 - run.first_step()) * config.envs) / seconds});
    }
    if (hooks.after) hooks.after(step);
    if (rolled_out) hooks.rolled_out((step + 1) / hooks.rollout_steps - 1, recorder.take());
    due = due || (config.checkpoint_every > 0 && (step + 1) % config.checkpoint_every == 0);
    if (!last && hooks.rollout_steps > 0 && !rolled_out) continue;
    const bool stop = run.stop_requested();
    if (last || stop || due) checkpoint(step);
    due = false;
    if (stop && !last) break;
  }
  run.progress().finish();
}

void write_weights(const std::filesystem::path& folder, const models::NamedWeights& weights) {
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, weight] : weights) tensors[name] = weight.detach();
  write_safetensors(folder / "agent.safetensors", tensors);
}

void read_weights(const std::filesystem::path& folder, const models::NamedWeights& weights) {
  const at::NoGradGuard no_gradient;
  const auto file = SafetensorsFile::open(folder / "agent.safetensors");
  for (auto [name, weight] : weights) {
    const auto stored = file.tensor(name);
    if (stored.sizes() != weight.sizes())
      throw Error({.category = Category::bad_data,
                   .where = (folder / "agent.safetensors").string(),
                   .what = "the weight " + name + " has another shape than this agent's",
                   .fix = "Take the settings that it was trained with."});
    weight.copy_(stored);
  }
}

ActionRange::ActionRange(const environments::Spec& spec) {
  const auto* box = std::get_if<environments::Box>(&spec.action);
  if (!box)
    throw Error({.category = Category::usage,
                 .where = "environment " + spec.name,
                 .what = "its actions are choices; this agent's are numbers",
                 .fix = "Take dqn or control_ppo."});
  std::int64_t count = 1;
  for (const auto side : box->shape) count *= side;
  std::vector<float> middles, halves;
  for (std::int64_t i = 0; i < count; ++i) {
    const double low = box->low[box->low.size() == 1 ? 0 : i], high = box->high[box->high.size() == 1 ? 0 : i];
    if (!std::isfinite(low) || !std::isfinite(high))
      throw Error({.category = Category::usage,
                   .where = "environment " + spec.name,
                   .what = "its actions have no bounds",
                   .fix = "Take control_ppo, which needs none."});
    middles.push_back(static_cast<float>((low + high) / 2));
    halves.push_back(static_cast<float>((high - low) / 2));
  }
  middle = at::tensor(middles);
  half = at::tensor(halves);
}

Tensor ActionRange::to_environment(const Tensor& actions) const { return (actions * half + middle).contiguous(); }

}  // namespace rlhf::control
