#include "rlhf/control/episodes.h"

#include <ATen/core/grad_mode.h>

#include <limits>
#include <numeric>

#include "rlhf/core/error.h"

namespace rlhf::control {

EpisodeLog::EpisodeLog(std::int64_t environments, std::size_t kept)
    : kept_(kept), running_(static_cast<std::size_t>(environments)) {}

void EpisodeLog::add(const environments::VectorStep& step) {
  const auto* rewards = environments::earned(step).const_data_ptr<double>();
  const auto* terminated = step.terminated.const_data_ptr<bool>();
  const auto* truncated = step.truncated.const_data_ptr<bool>();
  for (std::size_t i = 0; i < running_.size(); ++i) {
    running_[i].total += rewards[i];
    ++running_[i].steps;
    if (!terminated[i] && !truncated[i]) continue;
    last_.push_back(running_[i]);
    if (last_.size() > kept_) last_.pop_front();
    running_[i] = {};
    ++finished_;
  }
}

double EpisodeLog::mean_return() const {
  if (last_.empty()) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (const auto& episode : last_) sum += episode.total;
  return sum / static_cast<double>(last_.size());
}

double EpisodeLog::mean_length() const {
  if (last_.empty()) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (const auto& episode : last_) sum += static_cast<double>(episode.steps);
  return sum / static_cast<double>(last_.size());
}

void EpisodeLog::log(MetricRow& row) const {
  row.add("rollout/episodes", static_cast<double>(finished_));
  if (finished_ == 0) return;
  row.add("rollout/ep_rew_mean", mean_return());
  row.add("rollout/ep_len_mean", mean_length());
}

void EpisodeLog::save(State& state, const std::string& prefix) const {
  auto record =
      nlohmann::json{{"finished", finished_}, {"running", nlohmann::json::array()}, {"last", nlohmann::json::array()}};
  for (const auto& episode : running_) record["running"].push_back({episode.total, episode.steps});
  for (const auto& episode : last_) record["last"].push_back({episode.total, episode.steps});
  state.values[prefix] = record;
}

void EpisodeLog::restore(const State& state, const std::string& prefix) {
  const auto& record = state.values.at(prefix);
  finished_ = record.at("finished");
  last_.clear();
  const auto episode_of = [](const nlohmann::json& pair) { return Episode{pair.at(0), pair.at(1)}; };
  for (std::size_t i = 0; i < running_.size(); ++i) running_[i] = episode_of(record.at("running").at(i));
  for (const auto& pair : record.at("last")) last_.push_back(episode_of(pair));
}

std::vector<double> play(environments::VectorEnvironment& environments, const Act& act, std::int64_t episodes,
                         std::uint64_t seed, const std::function<void(const environments::VectorStep& step)>& ended) {
  const auto count = environments.count();
  if (environments.auto_reset() != environments::AutoReset::same_step || episodes % count != 0)
    throw Error({.category = Category::usage,
                 .where = "play",
                 .what = std::to_string(episodes) + " episodes in " + std::to_string(count) + " environments",
                 .fix = "Ask for a multiple, of environments that start anew in the same step."});
  const at::NoGradGuard no_gradient;
  std::vector<double> returns, running(static_cast<std::size_t>(count), 0.0);
  std::vector<std::int64_t> left(static_cast<std::size_t>(count), episodes / count);
  Tensor seen = environments.reset(seed);
  while (std::ssize(returns) < episodes) {
    const auto& step = environments.step(act(seen).contiguous());
    const auto* rewards = environments::earned(step).const_data_ptr<double>();
    const auto* terminated = step.terminated.const_data_ptr<bool>();
    const auto* truncated = step.truncated.const_data_ptr<bool>();
    for (std::size_t i = 0; i < running.size(); ++i) {
      running[i] += rewards[i];
      if (!terminated[i] && !truncated[i]) continue;
      if (left[i]-- > 0) returns.push_back(running[i]);
      running[i] = 0;
    }
    if (ended && step.ended > 0) ended(step);
    seen = step.observations;
  }
  return returns;
}

Act greedy(const models::ActorCritic& agent) {
  return [&agent](const Tensor& observations) {
    return agent.within_bounds(models::mode(agent.policy(agent.encode()(observations))));
  };
}

double mean(std::span<const double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace rlhf::control
