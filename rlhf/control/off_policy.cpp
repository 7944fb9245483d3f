#include "rlhf/control/off_policy.h"

#include <algorithm>

#include "rlhf/core/clock.h"
#include "rlhf/core/require.h"

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
    episodes.log(row);
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

/// What the environment is sent for an agent's actions.
Tensor sent(const OffPolicyAgent& agent, const Tensor& actions) {
  return agent.to_environment ? agent.to_environment(actions) : actions;
}

/// One training: the buffer, what is recorded of play, and where chance is.
class Training {
 public:
  Training(const OffPolicyAgent& agent, environments::VectorEnvironment& environments, const OffPolicyConfig& config,
           const OffPolicyHooks& hooks, Run& run)
      : agent_(agent),
        environments_(environments),
        config_(config),
        hooks_(hooks),
        run_(run),
        total_(config.total_steps / config.envs),
        replay_(environments.spec(), config.envs, config.replay),
        recorder_(config.envs, std::max<std::int64_t>(hooks.rollout_steps, 1)),
        episodes_(config.envs),
        acting_(derive(config.seed, {hash("actions")})),
        learning_(derive(config.seed, {hash("minibatches")})) {
    replay_.set_reward(in_environment_units(hooks.reward, agent));
    replay_.keep(hooks.demonstrations);
    environments.reset(derive(config.seed, {hash("episodes")}));
    if (run.restored()) restore(*run.restored());
  }

  void train() {
    begin_ = steady_seconds();
    bool due = false;  // is a checkpoint?
    run_.progress().start("training", total_ * config_.envs, run_.first_step() * config_.envs);
    for (std::int64_t step = run_.first_step(); step < total_; ++step) {
      const bool rolled_out = act(step);
      if (!exploring(step) && (step + 1) % config_.train_every == 0 && replay_.ready(1)) learn(step);
      const bool last = step + 1 == total_;
      if ((step + 1) % config_.report_every == 0 || last) report(step);
      if (hooks_.after) hooks_.after(step);
      if (rolled_out) hooks_.rolled_out((step + 1) / hooks_.rollout_steps - 1, recorder_.take());
      due = due || (config_.checkpoint_every > 0 && (step + 1) % config_.checkpoint_every == 0);
      if (!last && hooks_.rollout_steps > 0 && !rolled_out) continue;  // the next checkpoint is at the rollout's end
      const bool stop = run_.stop_requested();
      if (last || stop || due) checkpoint(step);
      due = false;
      if (stop && !last) break;
    }
    run_.progress().finish();
  }

 private:
  double progress(std::int64_t step) const { return static_cast<double>(step) / static_cast<double>(total_); }
  bool exploring(std::int64_t step) const { return (step + 1) * config_.envs <= config_.start; }

  /// A step of all environments; true if it was a rollout's last.
  bool act(std::int64_t step) {
    const auto seen = environments_.observations().clone();
    const auto actions = agent_.act(seen, progress(step), exploring(step), acting_);
    const auto done = sent(agent_, actions);
    if (hooks_.rollout_steps > 0) recorder_.before(environments_, done);
    const auto& outcome = environments_.step(done);
    const bool rolled_out = hooks_.rollout_steps > 0 && recorder_.after(outcome);
    episodes_.add(outcome);
    replay_.add(seen, actions, outcome);
    return rolled_out;
  }

  void learn(std::int64_t step) {
    for (std::int64_t i = 0; i < config_.gradient_steps; ++i) {
      const auto batch = replay_.sample(config_.batch, learning_, progress(step));
      replay_.update_priorities(batch.places, agent_.learn(batch, progress(step), learning_));
    }
  }

  void report(std::int64_t step) {
    run_.progress().set((step + 1) * config_.envs);
    const auto since = static_cast<double>((step + 1 - run_.first_step()) * config_.envs);
    run_.report(step, Row{agent_, episodes_, (step + 1) * config_.envs, since / (steady_seconds() - begin_)});
  }

  void checkpoint(std::int64_t step) {
    State state;
    agent_.save(state);
    if (hooks_.save) hooks_.save(state);
    replay_.save(state, "replay");
    episodes_.save(state, "episodes");
    state.tensors["environments"] = as_tensor(environments_.state());
    state.values["acting"] = acting_.position();
    state.values["learning"] = learning_.position();
    run_.checkpoint(step, agent_.write_model, state);
  }

  void restore(const Restored& before) {
    const auto& state = before.state;
    agent_.read_model(before.model_folder);
    agent_.restore(state);
    if (hooks_.restore) hooks_.restore(state);
    replay_.restore(state, "replay");
    episodes_.restore(state, "episodes");
    environments_.set_state(as_bytes(state.tensors.at("environments")));
    acting_ = Random(acting_.key(), state.values.at("acting"));
    learning_ = Random(learning_.key(), state.values.at("learning"));
  }

  const OffPolicyAgent& agent_;
  environments::VectorEnvironment& environments_;
  const OffPolicyConfig& config_;
  const OffPolicyHooks& hooks_;
  Run& run_;
  std::int64_t total_;  // steps of the loop
  Replay replay_;
  Recorder recorder_;
  EpisodeLog episodes_;
  Random acting_, learning_;
  double begin_ = 0.0;  // s, of the training's clock
};

}  // namespace

Rollout play_rollout(const OffPolicyAgent& agent, environments::VectorEnvironment& environments, std::int64_t steps,
                     std::uint64_t seed) {
  Recorder recorder(environments.count(), steps);
  Random random(derive(seed, {hash("actions")}));
  environments.reset(derive(seed, {hash("episodes")}));
  for (bool full = false; !full;) {
    const auto actions = agent.act(environments.observations().clone(), 0.0, false, random);
    const auto done = sent(agent, actions);
    recorder.before(environments, done);
    full = recorder.after(environments.step(done));
  }
  return recorder.take();
}

void train(const OffPolicyAgent& agent, environments::VectorEnvironment& environments, const OffPolicyConfig& config,
           const OffPolicyHooks& hooks, Run& run) {
  config.validate();
  Training(agent, environments, config, hooks, run).train();
}

}  // namespace rlhf::control
