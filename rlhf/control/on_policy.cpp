#include "rlhf/control/on_policy.h"

#include "rlhf/core/clock.h"

namespace rlhf::control {
namespace {

struct Row {
  const OnPolicyAgent& agent;
  const OnPolicyHooks& hooks;
  const EpisodeLog& episodes;
  std::int64_t steps;
  double seconds, steps_per_second;

  void log(MetricRow& row) const {
    row.add("rollout/steps", static_cast<double>(steps));
    episodes.log(row);
    agent.log(row);
    if (hooks.log) hooks.log(row);
    row.add("time/steps_per_second", steps_per_second);
    row.add("time/seconds", seconds);
  }
};

}  // namespace

void train(const OnPolicyAgent& agent, Collector& collector, const OnPolicyPlan& plan, const OnPolicyHooks& hooks,
           Run& run) {
  if (const auto& before = run.restored()) {
    agent.read_model(before->model_folder);
    agent.restore(before->state);
    collector.restore(before->state, "collector");
    if (hooks.restore) hooks.restore(before->state);
  }
  const auto checkpoint = [&](std::int64_t index) {
    State state;
    agent.save(state);
    collector.save(state, "collector");
    if (hooks.save) hooks.save(state);
    run.checkpoint(index, agent.write_model, state);
  };
  const auto total = plan.rollouts;
  const double begin = steady_seconds();
  run.progress().start("training", total * plan.per_rollout, run.first_step() * plan.per_rollout);
  for (std::int64_t index = run.first_step(); index < total; ++index) {
    auto rollout = collector.collect(hooks.keep_states);        // 1 act
    if (hooks.reward) rollout.rewards = hooks.reward(rollout);  // 2 what it is worth, to whom it matters
    agent.learn(index, rollout);                                // 3 advantages, the algorithm's loss
    run.progress().advance(plan.per_rollout);
    if ((index + 1) % plan.report_every == 0 || index + 1 == total) {
      const double seconds = steady_seconds() - begin;
      run.report(index, Row{agent, hooks, collector.episodes(), (index + 1) * plan.per_rollout, seconds,
                            static_cast<double>((index + 1 - run.first_step()) * plan.per_rollout) / seconds});
    }
    if (hooks.after) hooks.after(index, rollout);
    const bool stop = run.stop_requested(), last = index + 1 == total;
    if (last || stop || (plan.checkpoint_every > 0 && (index + 1) % plan.checkpoint_every == 0)) checkpoint(index);
    if (stop && !last) break;
  }
  run.progress().finish();
}

}  // namespace rlhf::control
