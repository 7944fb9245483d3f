#include "rlhf/environments/transition_table.h"

namespace rlhf::environments {

void TransitionTable::add(std::span<const Transition> outcomes) {
  all_.insert(all_.end(), outcomes.begin(), outcomes.end());
  begins_.push_back(all_.size());
}

std::span<const Transition> TransitionTable::of(std::int64_t state, std::int64_t action) const {
  const auto place = static_cast<std::size_t>(state * actions_ + action);
  return std::span(all_).subspan(begins_[place], begins_[place + 1] - begins_[place]);
}

const Transition& TransitionTable::drawn(std::int64_t state, std::int64_t action, double uniform) const {
  const auto outcomes = of(state, action);
  double sum = 0;
  for (const auto& outcome : outcomes)
    if (uniform < (sum += outcome.chance)) return outcome;
  return outcomes.back();  // the chances summed to a little less than 1
}

}  // namespace rlhf::environments
