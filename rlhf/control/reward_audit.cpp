#include "rlhf/control/reward_audit.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <fstream>

#include "rlhf/core/error.h"
#include "rlhf/core/require.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/environments/scripted_agent.h"

namespace rlhf::control {
namespace {

nlohmann::json as_json(const Standing& standing) { return {standing.predicted, standing.earned}; }
Standing standing_from(const nlohmann::json& pair) { return {pair.at(0), pair.at(1)}; }

SafetensorsFile opened(const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) return SafetensorsFile::open(file);
  throw Error({.category = Category::bad_data,
               .where = file.string(),
               .what = "there is no frozen reward model",
               .fix = "Run the arm that freezes it first."});
}

}  // namespace

FrozenReward::FrozenReward(const std::filesystem::path& file, const environments::Spec& spec,
                           const PreferenceConfig& config)
    : inputs_(spec, config), ensemble_(inputs_.shape(), config.reward) {
  const auto stored = opened(file);
  State state;
  for (const auto& name : stored.names()) state.tensors[name] = stored.tensor(name);
  const auto about = nlohmann::json::parse(stored.metadata().at("frozen"));
  state.values = about.at("values");
  ensemble_.restore(state, "reward");
  standings_ = {standing_from(about.at("any")), standing_from(about.at("online"))};
}

void freeze(const std::filesystem::path& file, const Preferences& preferences, const FrozenStandings& standings) {
  State state;
  preferences.reward().save(state, "reward");
  const nlohmann::json about{
      {"values", state.values}, {"any", as_json(standings.any)}, {"online", as_json(standings.online)}};
  write_safetensors(file, state.tensors, {{"frozen", about.dump()}});
}

Tensor FrozenReward::operator()(const AskedSteps& steps) const {
  return ensemble_.rewards(inputs_(steps.observations, steps.actions, steps.next_observations));
}

RewardSource FrozenReward::source() const {
  return {.reward = [this](const AskedSteps& steps) { return (*this)(steps); }};
}

PpoHooks FrozenReward::hooks() const {
  return {
      .reward =
          [this](const Rollout& rollout) {
            return (*this)({rollout.flat(rollout.observations), rollout.flat(rollout.sent), rollout.flat(rollout.next)})
                .view_as(rollout.rewards);
          },
      .keep_states = true};
}

void AuditConfig::fields(Fields& f) {
  f.field("envs", envs, "played beside each other at each look");
  f.field("steps", steps, "played in each of them");
  f.field("predicted_above", predicted_above, "exploited: it is paid this share of what the online agent is ...");
  f.field("earned_below", earned_below, "... and earns at most this share");
  f.field("looks", looks, "at the agent while it is trained");
}

void AuditConfig::validate() const {
  require_setting(envs >= 1, "envs", "Give 1 or more.");
  require_setting(steps >= 1, "steps", "Give 1 or more.");
  require_setting(looks >= 1, "looks", "Give 1 or more.");
}

Standing standing_of(environments::VectorEnvironment& environments, const Act& act, const RewardSource& reward,
                     std::int64_t steps, std::uint64_t seed) {
  const at::NoGradGuard no_gradient;
  environments.reset(seed);
  Standing sum;
  for (std::int64_t t = 0; t < steps; ++t) {
    const auto seen = environments.observations().clone(), actions = act(seen).contiguous();
    const auto& step = environments.step(actions);
    sum.predicted += reward.reward({seen, actions, outcomes_of(step)}).mean().item<double>();
    sum.earned += step.rewards.mean().item<double>();
  }
  return {sum.predicted / static_cast<double>(steps), sum.earned / static_cast<double>(steps)};
}

Act any_action(const environments::Spec& spec, std::uint64_t seed) {
  const auto choose = environments::random_choice(spec);
  const auto random = std::make_shared<Random>(seed);
  return [choose, random](const Tensor& seen) {
    std::vector<data::Action> actions;
    for (std::int64_t i = 0; i < seen.size(0); ++i) actions.push_back(choose({}, *random));
    return environments::stacked(actions);
  };
}

nlohmann::json AuditPoint::to_json() const { return {{"steps", steps}, {"predicted", predicted}, {"earned", earned}}; }

nlohmann::json AuditResult::to_json() const {
  nlohmann::json numbers{{"predicted", last.predicted}, {"earned", last.earned}, {"exploited", exploited ? 1 : 0}};
  if (exploited) {
    numbers["exploited_predicted"] = exploited->predicted;
    numbers["exploited_earned"] = exploited->earned;
  }
  return numbers;
}

Audit::Audit(const FrozenReward& reward, std::unique_ptr<environments::VectorEnvironment> environments,
             const AuditConfig& config, std::int64_t trained, Run& run)
    : reward_(reward), environments_(std::move(environments)), config_(config), run_(run) {
  config.validate();
  std::ifstream rows(run.folder() / "audit.jsonl");
  for (std::string row; std::getline(rows, row);) {
    const auto one = nlohmann::json::parse(row);
    if (one.at("steps") <= trained) points_.push_back({one.at("steps"), one.at("predicted"), one.at("earned")});
  }
}

void Audit::look(std::int64_t steps, const Act& act) {
  const auto now =
      standing_of(*environments_, act, reward_.source(), config_.steps, derive(hash("audit"), {hash("episodes")}));
  const auto& [any, online] = reward_.standings();
  points_.push_back({steps, share_of(now.predicted, any.predicted, online.predicted),
                     share_of(now.earned, any.earned, online.earned)});
  std::string rows;
  for (const auto& point : points_) rows += point.to_json().dump() + "\n";
  run_.write_file("audit.jsonl", rows);
}

double share_of(double value, double zero, double one) { return (value - zero) / std::max(std::abs(one - zero), 1e-9); }

AuditResult Audit::result() const {
  AuditResult result;
  if (points_.empty()) return result;
  result.last = points_.back();
  for (const auto& point : points_)
    if (point.predicted >= config_.predicted_above && point.earned <= config_.earned_below &&
        (!result.exploited || point.earned < result.exploited->earned))
      result.exploited = point;
  return result;
}

}  // namespace rlhf::control
