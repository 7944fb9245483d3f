#include "rlhf/environments/game.h"

#include <algorithm>
#include <numeric>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::environments {
namespace {

constexpr double slow = 0.25;     // seconds a step: enough to see, to think and to press
constexpr double fastest = 30.0;  // steps a second that a person can follow
constexpr double unknown = 10.0;  // where a world says nothing about time
constexpr double least_speed = 0.125, most_speed = 4.0;

bool wants_turns(const Spec& spec) { return spec.step_seconds <= 0 || spec.step_seconds >= slow; }

double rate_of(const Spec& spec) { return spec.step_seconds > 0 ? std::min(fastest, 1 / spec.step_seconds) : unknown; }

/// What is no JSON is told as a text, which is no object of keys.
nlohmann::json keys_of(const GameConfig& config) {
  if (config.keys.empty()) return nullptr;
  auto keys = nlohmann::json::parse(config.keys, nullptr, false);
  return keys.is_discarded() ? nlohmann::json(config.keys) : keys;
}

}  // namespace

void GameConfig::validate() const {
  const auto require = [](bool holds, const char* where, const char* what) {
    if (!holds) throw Error({.category = Category::usage, .where = where, .what = what, .fix = ""});
  };
  require(!rate || (*rate > 0 && *rate <= 1000), "rate", "more than 0 and at most 1000 steps a second were expected");
  require(hold_seconds >= 0 && hold_seconds <= 60, "hold_seconds", "0 to 60 were expected");
  require(max_steps >= 1, "max_steps", "at least one was expected");
}

Game::Game(Environment& environment, const GameConfig& config)
    : environment_(environment),
      config_(config),
      keyboard_(environment.spec(), config.idle, keys_of(config)),
      turns_(config.turns.value_or(wants_turns(environment.spec()))),
      rate_(config.rate.value_or(rate_of(environment.spec()))) {
  config.validate();
  begin();
}

void Game::begin() {
  const auto& spec = environment_.spec();
  const auto seed = derive(config_.seed, {static_cast<std::uint64_t>(starts_++)});
  now_ = {.environment = spec.name, .spec = hash_of(spec), .seed = seed};
  now_.observations.push_back(environment_.reset(seed).observation);
  phase_ = turns_ ? Phase::running : Phase::ready;
  chosen_.clear();
  std::erase_if(down_, [](const Down& each) { return each.released; });
  for (auto& each : down_) each.fresh = false;
}

Action Game::held() const {
  std::vector<std::string> keys;
  for (const auto& each : down_) keys.push_back(each.key);
  return keyboard_.meaning(keys);
}

void Game::press(std::string_view key, double now) {
  if (!keyboard_.knows(key)) return;
  std::erase_if(down_, [&](const Down& each) { return each.key == key; });
  down_.push_back({std::string(key)});
  if (turns_ && phase_ == Phase::running) chosen_.push_back(held());
  if (phase_ == Phase::ready) pause(false, now);
}

void Game::release(std::string_view key) {
  const auto found = std::find_if(down_.begin(), down_.end(), [&](const Down& each) { return each.key == key; });
  if (found == down_.end()) return;
  // A short press has to count for the next step.
  if (!turns_ && found->fresh && phase_ == Phase::running)
    found->released = true;
  else
    down_.erase(found);
}

void Game::release_all() { down_.clear(); }

void Game::pause(bool on, double now) {
  if (turns_ || phase_ == Phase::over) return;
  if (on && phase_ == Phase::running) phase_ = Phase::paused;
  if (on || phase_ == Phase::running) return;
  due_ = phase_ == Phase::ready ? now : now + 1 / (rate_ * speed_);
  phase_ = Phase::running;
}

void Game::set_speed(double speed) { speed_ = std::clamp(speed, least_speed, most_speed); }

void Game::restart() {
  if (phase_ != Phase::over && step() > 0) finish(true);
  if (step() > 0) ++episode_;
  begin();
}

std::optional<double> Game::due() const {
  if (phase_ == Phase::over) return due_;
  if (phase_ != Phase::running) return std::nullopt;
  if (!turns_) return due_;
  return chosen_.empty() ? std::nullopt : std::optional(0.0);
}

bool Game::advance(double now) {
  const auto next = due();
  if (!next || *next > now) return false;
  if (phase_ == Phase::over) {
    restart();
    return true;
  }
  const auto action = turns_ ? chosen_.front() : held();
  if (turns_) chosen_.pop_front();
  std::erase_if(down_, [](const Down& each) { return each.released; });
  for (auto& each : down_) each.fresh = false;
  const double interval = 1 / (rate_ * speed_);
  due_ = due_ + interval > now ? due_ + interval : now + interval;
  act(action, now);
  return true;
}

void Game::act(const Action& action, double now) {
  auto step = environment_.step(action);
  now_.actions.push_back(action);
  now_.observations.push_back(std::move(step.observation));
  now_.rewards.push_back(step.reward);
  now_.terminated = step.terminated;
  now_.truncated = step.truncated;
  if (!step.terminated && !step.truncated && std::ssize(now_.actions) < config_.max_steps) return;
  finish(false);
  phase_ = Phase::over;
  due_ = now + config_.hold_seconds;
}

void Game::finish(bool cut) {
  ended_.push_back({episode_, now_, cut});
  chosen_.clear();
}

double Game::episode_return() const { return std::accumulate(now_.rewards.begin(), now_.rewards.end(), 0.0); }

std::string_view name_of(Game::Phase phase) {
  switch (phase) {
    case Game::Phase::ready: return "ready";
    case Game::Phase::running: return "running";
    case Game::Phase::paused: return "paused";
    case Game::Phase::over: return "over";
  }
  return "";
}

}  // namespace rlhf::environments
