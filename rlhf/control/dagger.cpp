#include "rlhf/control/dagger.h"

#include <algorithm>

#include "rlhf/core/require.h"

namespace rlhf::control {

void DaggerConfig::fields(Fields& f) {
  f.field("rounds", rounds, "of playing and imitating");
  f.field("round_steps", round_steps, "steps of a round, at least");
  f.field("round_episodes", round_episodes, "episodes of a round, at least");
  f.field("beta_rounds", beta_rounds,
          "rounds over which the expert's own share of play falls from 1 to 0; 0 = never plays");
  f.group("cloning", cloning, "how it imitates; epochs are those of a round");
}

void DaggerConfig::validate() const {
  require_setting(rounds >= 1, "rounds", "Give 1 or more.");
  require_setting(round_steps >= 1, "round_steps", "Give 1 or more.");
  require_setting(round_episodes >= 1, "round_episodes", "Give 1 or more.");
  require_setting(beta_rounds >= 0, "beta_rounds", "Give 0 or more.");
}

double DaggerConfig::beta(std::int64_t round) const {
  return beta_rounds > 0 ? std::max(0.0, 1 - static_cast<double>(round) / beta_rounds) : 0.0;
}

namespace {

/// Episodes of a round, with the expert's actions in place of those that were played.
std::vector<data::Trajectory> play_round(const models::ActorCritic& agent, environments::Environment& environment,
                                         const environments::Policy& expert, const DaggerConfig& config,
                                         std::int64_t round) {
  const auto learner = policy_of(agent, environment.spec());
  const double beta = config.beta(round);
  std::vector<data::Trajectory> episodes;
  std::int64_t steps = 0;
  while (std::ssize(episodes) < config.round_episodes || steps < config.round_steps) {
    std::vector<data::Action> said;
    const environments::Policy both = [&](const data::Array& seen, Random& random) {
      said.push_back(expert(seen, random));
      return random.uniform() < beta ? said.back() : learner(seen, random);
    };
    const auto seed = derive(config.cloning.seed, {hash("dagger"), static_cast<std::uint64_t>(round), episodes.size()});
    auto& episode = episodes.emplace_back(environments::roll_out(environment, both, seed, {.keep_states = false}));
    episode.actions = std::move(said);
    steps += std::ssize(episode.actions);
  }
  return episodes;
}

struct Row {
  const BcMetrics& metrics;
  double beta, played;

  void log(MetricRow& row) const {
    row.add("dagger/beta", beta);
    row.add("dagger/ep_rew_mean", played);
    metrics.log(row);
  }
};

}  // namespace

void train(models::ActorCritic& agent, environments::Environment& environment, const environments::Policy& expert,
           const DaggerConfig& config, Run& run) {
  config.validate();
  config.cloning.validate();
  algorithms::AdamW optimizer(agent.weights(), config.cloning.adam);
  Shown shown;
  if (const auto& before = run.restored()) {
    agent.restore(before->model_folder);
    optimizer.restore(before->state, "optimizer");
    shown = {before->state.tensors.at("observations"), before->state.tensors.at("actions")};
  }
  const auto write_model = [&](const std::filesystem::path& folder) { agent.save(folder); };
  run.progress().start("imitating", config.rounds, run.first_step());
  for (std::int64_t round = run.first_step(); round < config.rounds; ++round) {
    const auto episodes = play_round(agent, environment, expert, config, round);  // 1 play, and ask the expert
    const auto more = shown_in(environment.spec(), episodes);
    shown = shown.actions.defined() ? shown + more : more;  // 2 nothing that was said is forgotten
    BcMetrics metrics;
    for (std::int64_t pass = 0; pass < config.cloning.epochs; ++pass)  // 3 imitate all of it
      metrics = imitate(agent, optimizer, shown, config.cloning, round * config.cloning.epochs + pass);
    double earned = 0;
    for (const auto& each : episodes)
      for (const double reward : each.rewards) earned += reward / static_cast<double>(episodes.size());
    run.report(round, Row{metrics, config.beta(round), earned});
    run.progress().advance(1);
    State state;  // after every round: an expert's answers are dear
    optimizer.save(state, "optimizer");
    state.tensors["observations"] = shown.observations;
    state.tensors["actions"] = shown.actions;
    run.checkpoint(round, write_model, state);
    if (run.stop_requested()) break;
  }
  run.progress().finish();
}

}  // namespace rlhf::control
