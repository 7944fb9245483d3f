#include "rlhf/control/coach.h"

#include <algorithm>
#include <cmath>

namespace rlhf::control {
namespace {

TabularPolicy table(std::int64_t states, std::int64_t actions, double value) {
  return TabularPolicy(static_cast<std::size_t>(states), std::vector<double>(static_cast<std::size_t>(actions), value));
}

std::vector<double> softmax(const std::vector<double>& scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  std::vector<double> chances;
  double sum = 0;
  for (const double score : scores) sum += chances.emplace_back(std::exp(score - largest));
  for (double& chance : chances) chance /= sum;
  return chances;
}

/// The best share 1 - epsilon, all share epsilon.
std::vector<double> mostly_best(const std::vector<double>& values, double epsilon) {
  const double best = *std::max_element(values.begin(), values.end());
  const auto equals = static_cast<double>(std::count(values.begin(), values.end(), best));
  std::vector<double> chances;
  for (const double value : values)
    chances.push_back(epsilon / static_cast<double>(values.size()) + (value == best ? (1 - epsilon) / equals : 0.0));
  return chances;
}

}  // namespace

TabularCoach::TabularCoach(std::int64_t states, std::int64_t actions, double rate, double trace)
    : rate_(rate),
      trace_(trace),
      scores_(table(states, actions, 0)),
      traces_(table(states, actions, 0)),
      policy_(table(states, actions, 1.0 / static_cast<double>(actions))) {}

void TabularCoach::begin_episode() {
  for (auto& row : traces_) std::fill(row.begin(), row.end(), 0.0);
}

void TabularCoach::learn(std::int64_t state, std::int64_t action, const TabularWorld::Move&, double feedback) {
  for (auto& row : traces_)
    for (double& each : row) each *= trace_;
  const auto here = static_cast<std::size_t>(state);
  for (std::size_t each = 0; each < policy_[here].size(); ++each)
    traces_[here][each] += (each == static_cast<std::size_t>(action) ? 1.0 : 0.0) - policy_[here][each];
  for (std::size_t each = 0; each < scores_.size(); ++each) {
    // Without traces only the state at hand moves.
    if (trace_ == 0 && each != here) continue;
    for (std::size_t i = 0; i < scores_[each].size(); ++i) scores_[each][i] += rate_ * feedback * traces_[each][i];
    policy_[each] = softmax(scores_[each]);
  }
}

TabularTamer::TabularTamer(std::int64_t states, std::int64_t actions, double rate)
    : rate_(rate),
      predicted_(table(states, actions, 0)),
      policy_(table(states, actions, 1.0 / static_cast<double>(actions))) {}

void TabularTamer::learn(std::int64_t state, std::int64_t action, const TabularWorld::Move&, double feedback) {
  const auto here = static_cast<std::size_t>(state);
  double& predicted = predicted_[here][static_cast<std::size_t>(action)];
  predicted += rate_ * (feedback - predicted);
  policy_[here] = mostly_best(predicted_[here], 0.0);
}

TabularQ::TabularQ(std::int64_t states, std::int64_t actions, double rate, double gamma, double epsilon)
    : rate_(rate),
      gamma_(gamma),
      epsilon_(epsilon),
      values_(table(states, actions, 0)),
      policy_(table(states, actions, 1.0 / static_cast<double>(actions))) {}

void TabularQ::learn(std::int64_t state, std::int64_t action, const TabularWorld::Move& move, double feedback) {
  const auto here = static_cast<std::size_t>(state);
  const auto& after = values_[static_cast<std::size_t>(move.next)];
  const double next = move.terminated ? 0.0 : *std::max_element(after.begin(), after.end());
  double& value = values_[here][static_cast<std::size_t>(action)];
  value += rate_ * (feedback + gamma_ * next - value);
  policy_[here] = mostly_best(values_[here], epsilon_);
}

}  // namespace rlhf::control
