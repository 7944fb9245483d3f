#include "recipes/coach/trainers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "rlhf/core/require.h"

namespace rlhf::recipes {
namespace {

constexpr double rounding = 1e-9;

double merit_after(environments::Environment& world, const std::string& before, std::int64_t action,
                   const Merit& merit) {
  world.set_state(before);
  world.step(action);
  return merit(world);
}

}  // namespace

void ReactionConfig::validate() const {
  require_setting(comments >= 0 && comments <= 1, "comments", "Give a share from 0 to 1.");
  require_setting(mistakes >= 0 && mistakes <= 1, "mistakes", "Give a share from 0 to 1.");
  require_setting(spread >= 0 && delay >= spread, "spread", "Give 0 seconds up to the delay.");
  require_setting(judged >= 0 && judged <= 10, "judged", "Give 0 to 10 seconds.");
}

Verdict action_verdict(Merit merit, std::int64_t actions) {
  return [merit = std::move(merit), actions](environments::Environment& world, std::int64_t action) {
    const auto before = world.state();
    const double own = merit_after(world, before, action, merit);
    for (std::int64_t other = 0; other < actions; ++other)
      if (merit_after(world, before, other, merit) > own + rounding) return -1.0;
    return 1.0;
  };
}

Verdict advantage_verdict(Merit merit, Habits habits) {
  return [merit = std::move(merit), habits = std::move(habits)](environments::Environment& world, std::int64_t action) {
    const auto before = world.state();
    const auto chances = habits(world.observation());
    double own = 0, usual = 0;
    for (std::int64_t other = 0; other < std::ssize(chances); ++other) {
      const double after = merit_after(world, before, other, merit);
      usual += chances[static_cast<std::size_t>(other)] * after;
      if (other == action) own = after;
    }
    return own - usual;
  };
}

Trainer::Trainer(algorithms::SessionClock& clock, std::unique_ptr<environments::Environment> memory, Verdict verdict,
                 const ReactionConfig& config, double rate, std::uint64_t seed)
    : clock_(clock),
      memory_(std::move(memory)),
      verdict_(std::move(verdict)),
      config_(config),
      judged_(static_cast<std::size_t>(std::max(1L, std::lround(config.judged * rate)))),
      random_(derive(seed, {hash("coach trainer")})) {
  config.validate();
}

std::vector<algorithms::Request> Trainer::requests() {
  std::vector<algorithms::Request> due;
  while (!coming_.empty() && coming_.begin()->first <= clock_.now()) {
    due.emplace_back(coming_.begin()->second);
    coming_.erase(coming_.begin());
  }
  return due;
}

void Trainer::show(const algorithms::View& view, const environments::Environment& environment) {
  auto seen = environment.state();
  // A new episode was begun within this tick: nobody saw what it began from.
  const bool followed = view.action && !before_.empty() && view.step > 1 && view.step != step_;
  if (view.step == 1) verdicts_.clear();
  step_ = view.step;
  if (followed) {
    memory_->set_state(before_);
    verdicts_.push_back(verdict_(*memory_, std::get<std::int64_t>(*view.action)));
    if (verdicts_.size() > judged_) verdicts_.pop_front();
    if (random_.uniform() < config_.comments) press(std::accumulate(verdicts_.begin(), verdicts_.end(), 0.0));
  }
  before_ = std::move(seen);
}

void Trainer::press(double value) {
  if (std::abs(value) <= rounding) return;  // as expected: nothing is said
  const double says = std::copysign(1.0, random_.uniform() < config_.mistakes ? -value : value);
  const double pressed = clock_.now() + config_.delay + config_.spread * (2 * random_.uniform() - 1);
  coming_.emplace(pressed, feedback::Signal{.id = ++last_, .annotator = "script", .value = says, .pressed = pressed});
}

}  // namespace rlhf::recipes
