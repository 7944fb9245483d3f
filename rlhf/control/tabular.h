#pragma once
#include <cstdint>
#include <vector>

#include "rlhf/environments/environment.h"

namespace rlhf::control {

/// A small world without chance, written out: what each action does in each state.
struct TabularWorld {
  struct Move {
    std::int64_t next = 0;
    double reward = 0.0;
    bool terminated = false;
  };
  std::int64_t actions = 0, start = 0;
  std::vector<std::vector<Move>> moves;  // [states][actions]

  std::int64_t states() const { return std::ssize(moves); }
};

/// Chances of each action in each state, [states][actions].
using TabularPolicy = std::vector<std::vector<double>>;

/// The COACH grid by trying every action in every cell; the state of cell (column, row) is row * columns + column.
TabularWorld tabulate_grid(environments::Environment& grid, std::int64_t columns, std::int64_t rows);

/// r + gamma V(next), V 0 after the end. [states][actions]
std::vector<std::vector<double>> action_values(const TabularWorld& world, const std::vector<double>& values,
                                               double gamma);

/// V* by value iteration, to 1e-10. [states]
std::vector<double> optimal_values(const TabularWorld& world, double gamma);

/// V of a policy by sweeps over the states, to `precision`, going on from `values` (zeros of the states to begin with):
/// after a small change of the policy a few sweeps do.
void evaluate_policy(const TabularWorld& world, const TabularPolicy& policy, double gamma, std::vector<double>& values,
                     double precision = 1e-8);

/// Undiscounted return of always taking the likeliest action (the first of equals), for at most `steps`.
double greedy_return(const TabularWorld& world, const TabularPolicy& policy, std::int64_t steps);

}  // namespace rlhf::control
