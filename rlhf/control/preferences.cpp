#include "rlhf/control/preferences.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

double pearson(const Tensor& one, const Tensor& other) {
  const auto a = one.to(at::kDouble) - one.to(at::kDouble).mean(),
             b = other.to(at::kDouble) - other.to(at::kDouble).mean();
  const double size = std::sqrt((a * a).sum().item<double>() * (b * b).sum().item<double>());
  return size > 0 ? (a * b).sum().item<double>() / size : std::nan("");
}

std::string name_of(const Run& run) {
  const auto folder = std::filesystem::absolute(run.folder() / "").parent_path();
  return folder.lexically_normal().filename().string();
}

std::string store_of(const PreferenceConfig& config, const Run& run) {
  return config.store.empty() ? (run.folder() / "feedback.db").string() : config.store;
}

/// What the steps led to, where that was kept.
Tensor reached(const Rollout& rollout) {
  return rollout.flat(rollout.next.defined() ? rollout.next : rollout.observations);
}

}  // namespace

Preferences::Preferences(std::unique_ptr<environments::Environment> replayer, const environments::Spec& spec,
                         const PreferenceConfig& config, std::int64_t total_steps, Run& run)
    : replayer_(std::move(replayer)),
      config_(config),
      total_steps_(total_steps),
      run_(run),
      store_(feedback::Store::open(store_of(config, run))),
      inputs_(spec, config),
      ensemble_(inputs_.shape(), config.reward),
      pool_(spec, inputs_, config),
      questions_(store_, *replayer_, spec, config, name_of(run)),
      answers_(store_, questions_, *replayer_, inputs_, config, run),
      returns_(run) {
  config.validate();
}

void Preferences::begin(environments::VectorEnvironment& environments, const models::ActorCritic& agent,
                        const PpoConfig& ppo) {
  Collector collector(environments, agent, ppo.steps, derive(ppo.seed, {hash("first clips")}));
  begin([&] { return collector.collect(/*keep_states=*/true); });
}

void Preferences::begin(const std::function<Rollout()>& next) {
  if (run_.restored() || config_.explore > 0) return;  // restore() has it all; explorers are asked about later
  const auto rollouts = std::max<std::int64_t>(1, config_.clips / (config_.rollout_clips * 2));
  for (std::int64_t i = 0; i < rollouts; ++i) {
    const auto rollout = next();
    pool_.keep(rollout, before_training, config_.clips / rollouts);
  }
  ask_first();
}

/// The first labels, about the clips that there are, and the first fit.
void Preferences::ask_first() {
  if (pool_.clips().size() < 4)
    throw Error({.category = Category::usage,
                 .where = "clip_steps",
                 .what = fmt::format("no rollout holds a clip of {} steps within one episode", config_.clip_steps),
                 .fix = "Take longer rollouts or shorter clips."});
  const auto pairs = questions_.ask(pool_, ensemble_, labels_by(config_, 0, total_steps_), before_training);
  if (config_.autolabels) questions_.prefer(demonstrations_, pairs, pool_);
  answers_.begin([&] { questions_.ask(pool_, ensemble_, 1, before_training); });
  take_answers(before_training);
  fit(config_.first_updates);
}

/// What the policy is paid for a rollout, [envs, steps]: by the reward model, or for novelty before there is one.
Tensor Preferences::rewards(const Rollout& rollout) {
  predicted_ = Tensor();
  correlation_ = std::nan("");
  if (exploring()) return novelty_.rewards(reached(rollout)).view_as(rollout.rewards);
  const auto next = rollout.next.defined() ? rollout.flat(rollout.next) : rollout.next;
  const auto rewards =
      ensemble_.rewards(inputs_(rollout.flat(rollout.observations), rollout.flat(rollout.sent), next));
  correlation_ = pearson(rewards, rollout.earned.flatten());
  return predicted_ = rewards.view_as(rollout.rewards);
}

/// Clips of what was done, questions about them, their answers, a better reward model.
void Preferences::learn_from(std::int64_t index, const Rollout& rollout) {
  steps_ = (index + 1) * rollout.steps();
  if (predicted_.defined()) returns_.add(index, rollout, predicted_);
  if (index < config_.explore) {
    novelty_.remember(reached(rollout));
    const auto clips = std::max<std::int64_t>(config_.rollout_clips, config_.clips / config_.explore);
    pool_.keep(rollout, index, clips);
    if (index + 1 == config_.explore) ask_first();
    return;
  }
  pool_.keep(rollout, index, config_.rollout_clips);
  questions_.ask(pool_, ensemble_, missing(), index);
  take_answers(index);
  fit(ensemble_.version() > 0 ? config_.rollout_updates : config_.first_updates);
  if (steps_ >= total_steps_) answers_.close();
}

/// Labels that are due by now and that none of the questions asked so far has given or can still give.
std::int64_t Preferences::missing() const {
  if (config_.initial_share == 1) return 0;  // about the first clips alone
  return labels_by(config_, steps_, total_steps_) - (asked() - answers_.passed_over());
}

void Preferences::take_answers(std::int64_t index) { ensemble_.add(answers_.take(index)); }

void Preferences::fit(std::int64_t updates) {
  if (updates > 0 && labels() > 0) last_fit_ = ensemble_.fit(updates);
}

PpoHooks Preferences::hooks() {
  return {.reward = [this](const Rollout& rollout) { return rewards(rollout); },
          .after =
              [this](std::int64_t index, const Rollout& rollout) {
                learn_from(index, rollout);
                run_.report(index, *this);
              },
          .save = [this](State& state) { save(state); },
          .restore = [this](const State& state) { restore(state); },
          .keep_states = true};
}

OffPolicyHooks Preferences::off_policy_hooks(std::int64_t rollout_steps) {
  return {.reward = source(),
          .rollout_steps = rollout_steps,
          .rolled_out =
              [this, rollout_steps](std::int64_t index, const Rollout& rollout) {
                rewards(rollout);
                learn_from(index, rollout);
                run_.report((index + 1) * rollout_steps - 1, *this);
              },
          .save = [this](State& state) { save(state); },
          .restore = [this](const State& state) { restore(state); }};
}

RewardSource Preferences::source() const {
  return {.reward =
              [this](const AskedSteps& steps) {
                if (exploring()) return novelty_.rewards(steps.next_observations);
                return ensemble_.rewards(inputs_(steps.observations, steps.actions, steps.next_observations));
              },
          .version = [this] { return novelty_.version() + ensemble_.version(); }};
}

void Preferences::log(MetricRow& row) const {
  const auto scheduled = exploring() ? 0 : autolabels() + labels_by(config_, steps_, total_steps_);
  row.add("preferences/labels", static_cast<double>(labels()));
  row.add("preferences/asked", static_cast<double>(asked()));
  row.add("preferences/steps", static_cast<double>(steps_));
  row.add("preferences/scheduled", static_cast<double>(scheduled));
  row.add("reward_model/loss", last_fit_.loss);
  row.add("reward_model/heldout_loss", last_fit_.heldout_loss);
  row.add("reward_model/accuracy", last_fit_.accuracy);
  row.add("reward_model/heldout_accuracy", last_fit_.heldout_accuracy);
  row.add("reward_model/l2", last_fit_.l2);
  row.add("reward_model/correlation", correlation_);
}

void Preferences::save(State& state) {
  nlohmann::json record;
  pool_.save(record);
  questions_.save(record);
  answers_.save(record);
  returns_.save(record);
  state.values["preferences"] = record;
  ensemble_.save(state, "reward");
  novelty_.save(state, "novelty");
}

void Preferences::restore(const State& state) {
  const auto& record = state.values.at("preferences");
  pool_.restore(record, *replayer_);
  questions_.restore(record);
  returns_.restore(record);
  ensemble_.add(answers_.restore(record));
  ensemble_.restore(state, "reward");
  novelty_.restore(state, "novelty");
}

}  // namespace rlhf::control
