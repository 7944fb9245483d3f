#include "rlhf/control/offline.h"

#include <algorithm>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/require.h"

namespace rlhf::control {

void OfflineConfig::fields(Fields& f) {
  f.field("updates", updates, "minibatches to learn from");
  f.field("batch", batch, "rows of a minibatch");
  f.field("gamma", gamma, "discount per step, 0..1");
  f.field("report_every", report_every, "updates between two rows of metrics");
  f.field("checkpoint_every", checkpoint_every, "updates between checkpoints; 0 = at the end only");
  f.field("seed", seed, "of everything that chance decides");
}

void OfflineConfig::validate() const {
  require_setting(updates >= 1, "updates", "Give 1 or more.");
  require_setting(batch >= 1, "batch", "Give 1 or more rows.");
  require_setting(gamma >= 0 && gamma <= 1, "gamma", "Give a number from 0 to 1.");
  require_setting(report_every >= 1, "report_every", "Give 1 or more.");
}

namespace {

struct Row {
  const OffPolicyAgent& agent;
  double updates_per_second;

  void log(MetricRow& row) const {
    agent.log(row);
    row.add("time/updates_per_second", updates_per_second);
  }
};

void bring_within(const ActionRange& range, data::Trajectory& episode) {
  const auto *middle = range.middle.const_data_ptr<float>(), *half = range.half.const_data_ptr<float>();
  for (auto& action : episode.actions) {
    auto& numbers = std::get<std::vector<float>>(action);
    for (std::size_t i = 0; i < numbers.size(); ++i)
      numbers[i] = std::clamp((numbers[i] - middle[i]) / half[i], -1.0F, 1.0F);
  }
}

}  // namespace

Replay recorded(const environments::Spec& spec, std::span<const data::Trajectory> episodes, const OfflineConfig& config,
                const ActionRange* range) {
  Replay replay(spec, 1, {.capacity = 1, .gamma = config.gamma});  // nothing but the episodes
  if (!range) {
    replay.keep(episodes);
    return replay;
  }
  std::vector<data::Trajectory> scaled(episodes.begin(), episodes.end());
  for (auto& episode : scaled) bring_within(*range, episode);
  replay.keep(scaled);
  return replay;
}

void train_offline(const OffPolicyAgent& agent, const Replay& recorded, const OfflineConfig& config, Run& run) {
  config.validate();
  if (!recorded.ready(1))
    throw Error({.category = Category::usage,
                 .where = "data",
                 .what = "there are no recorded steps",
                 .fix = "Record some: rlhf env record NAME --out played.jsonl"});
  Random learning(derive(config.seed, {hash("minibatches")}));
  if (const auto& before = run.restored()) {
    agent.read_model(before->model_folder);
    agent.restore(before->state);
    learning = Random(learning.key(), before->state.values.at("learning"));
  }
  const double begin = steady_seconds();
  run.progress().start("training", config.updates, run.first_step());
  for (std::int64_t update = run.first_step(); update < config.updates; ++update) {
    agent.learn(recorded.sample(config.batch, learning),
                static_cast<double>(update) / static_cast<double>(config.updates), learning);
    const bool last = update + 1 == config.updates, stop = run.stop_requested();
    if ((update + 1) % config.report_every == 0 || last) {
      run.progress().set(update + 1);
      run.report(update, Row{agent, static_cast<double>(update + 1 - run.first_step()) / (steady_seconds() - begin)});
    }
    if (last || stop || (config.checkpoint_every > 0 && (update + 1) % config.checkpoint_every == 0)) {
      State state;
      agent.save(state);
      state.values["learning"] = learning.position();
      run.checkpoint(update, agent.write_model, state);
    }
    if (stop && !last) break;
  }
  run.progress().finish();
}

}  // namespace rlhf::control
