#include "recipes/coach/grid_trainer.h"

#include <algorithm>
#include <cmath>

namespace rlhf::recipes {
namespace {

constexpr std::int64_t columns = 8, rows = 5;
constexpr double gamma = 0.95;
constexpr double rounding = 1e-7;

double worth(const control::TabularWorld::Move& move, const std::vector<double>& values) {
  return move.reward + (move.terminated ? 0.0 : gamma * values[static_cast<std::size_t>(move.next)]);
}

}  // namespace

GridTrainer::GridTrainer(algorithms::SessionClock& clock, bool by_habit, const DependenceConfig& config,
                         std::uint64_t seed, std::function<bool()> stop)
    : clock_(clock),
      by_habit_(by_habit),
      config_(config),
      random_(derive(seed, {hash("grid trainer")})),
      stop_(std::move(stop)),
      world_(control::tabulate_grid(grid_, columns, rows)),
      best_(control::optimal_values(world_, gamma)),
      expected_(world_.moves.size(), 0.0) {}

std::vector<algorithms::Request> GridTrainer::requests() {
  std::vector<algorithms::Request> due;
  while (!coming_.empty() && coming_.front().pressed <= clock_.now()) {
    due.emplace_back(coming_.front());
    coming_.erase(coming_.begin());
  }
  if (stop_() || (over() && coming_.empty())) due.emplace_back(algorithms::Stop{});
  return due;
}

void GridTrainer::show(const algorithms::View& view, const environments::Environment& environment) {
  const auto cell = std::get<std::vector<std::int64_t>>(environment.observation());
  if (view.step != step_ && view.action && !over())
    judge(view.step == 1 ? world_.start : state_, std::get<std::int64_t>(*view.action));
  step_ = view.step;
  state_ = cell[1] * columns + cell[0];
  episodes_ = view.episode;
}

bool GridTrainer::over() const { return episodes_ >= config_.rehearsed.episodes + config_.judged; }

void GridTrainer::judge(std::int64_t state, std::int64_t action) {
  if (by_habit_) control::evaluate_policy(world_, habit(), gamma, expected_, 1e-4);
  const auto& values = by_habit_ ? expected_ : best_;
  const auto here = static_cast<std::size_t>(state);
  const auto& done = world_.moves[here][static_cast<std::size_t>(action)];
  const double advantage = worth(done, values) - values[here];
  if (random_.uniform() < config_.comments) say(advantage + config_.noise * random_.normal());
  const bool well = worth(done, best_) > best_[here] - rounding;
  skill_ = config_.memory * skill_ + (1 - config_.memory) * (well ? 1.0 : 0.0);
}

/// A dog that does one of the best things as often as this one did of late, and anything else as often.
control::TabularPolicy GridTrainer::habit() const {
  control::TabularPolicy policy;
  for (const auto& row : control::action_values(world_, best_, gamma)) {
    const double most = *std::max_element(row.begin(), row.end());
    const auto is_good = [&](double value) { return value > most - rounding; };
    const auto good = static_cast<double>(std::count_if(row.begin(), row.end(), is_good));
    const double others = static_cast<double>(row.size()) - good;
    auto& chances = policy.emplace_back();
    for (const double value : row)
      chances.push_back(others == 0 ? 1 / good : is_good(value) ? skill_ / good : (1 - skill_) / others);
  }
  return policy;
}

void GridTrainer::say(double opinion) {
  const double value = std::clamp(std::round(2 * opinion) / 2, -1.0, 1.0);
  if (value == 0) return;
  const double pressed = clock_.now() + config_.delay;
  coming_.push_back({.id = ++last_, .annotator = "script", .value = value, .pressed = pressed});
}

}  // namespace rlhf::recipes
