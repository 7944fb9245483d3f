#include "rlhf/control/tabular.h"

#include <algorithm>
#include <cmath>

namespace rlhf::control {
namespace {

double worth(const TabularWorld::Move& move, const std::vector<double>& values, double gamma) {
  return move.reward + (move.terminated ? 0.0 : gamma * values[static_cast<std::size_t>(move.next)]);
}

}  // namespace

TabularWorld tabulate_grid(environments::Environment& grid, std::int64_t columns, std::int64_t rows) {
  TabularWorld world{.actions = 4,
                     .moves = std::vector<std::vector<TabularWorld::Move>>(static_cast<std::size_t>(columns * rows))};
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column)
      for (std::int64_t action = 0; action < world.actions; ++action) {
        grid.reset(0, {{"cell", {column, row}}});
        const auto step = grid.step(action);
        const auto& cell = std::get<std::vector<std::int64_t>>(step.observation);
        world.moves[static_cast<std::size_t>(row * columns + column)].push_back(
            {.next = cell[1] * columns + cell[0], .reward = step.reward, .terminated = step.terminated});
      }
  return world;
}

std::vector<std::vector<double>> action_values(const TabularWorld& world, const std::vector<double>& values,
                                               double gamma) {
  std::vector<std::vector<double>> all(world.moves.size());
  for (std::size_t state = 0; state < all.size(); ++state)
    for (const auto& move : world.moves[state]) all[state].push_back(worth(move, values, gamma));
  return all;
}

std::vector<double> optimal_values(const TabularWorld& world, double gamma) {
  std::vector<double> values(world.moves.size(), 0.0);
  for (double change = 1; change > 1e-10;) {
    change = 0;
    for (std::size_t state = 0; state < values.size(); ++state) {
      double best = worth(world.moves[state].front(), values, gamma);
      for (const auto& move : world.moves[state]) best = std::max(best, worth(move, values, gamma));
      change = std::max(change, std::abs(best - values[state]));
      values[state] = best;
    }
  }
  return values;
}

void evaluate_policy(const TabularWorld& world, const TabularPolicy& policy, double gamma, std::vector<double>& values,
                     double precision) {
  for (double change = 1; change > precision;) {
    change = 0;
    for (std::size_t state = 0; state < values.size(); ++state) {
      double mean = 0;
      for (std::size_t action = 0; action < policy[state].size(); ++action)
        mean += policy[state][action] * worth(world.moves[state][action], values, gamma);
      change = std::max(change, std::abs(mean - values[state]));
      values[state] = mean;
    }
  }
}

double greedy_return(const TabularWorld& world, const TabularPolicy& policy, std::int64_t steps) {
  double total = 0;
  auto state = static_cast<std::size_t>(world.start);
  for (std::int64_t t = 0; t < steps; ++t) {
    const auto& chances = policy[state];
    const auto& move =
        world
            .moves[state][static_cast<std::size_t>(std::max_element(chances.begin(), chances.end()) - chances.begin())];
    total += move.reward;
    if (move.terminated) break;
    state = static_cast<std::size_t>(move.next);
  }
  return total;
}

}  // namespace rlhf::control
