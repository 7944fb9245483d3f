#include "rlhf/algorithms/delayed_steps.h"

#include <cmath>
#include <numeric>

#include "rlhf/algorithms/detail/state_bytes.h"

namespace rlhf::algorithms {
namespace {

constexpr std::size_t measured = 30;  // ticks

}  // namespace

void DelayedSteps::push(LivePair pair, const LiveStep& step) {
  pair.first = first_;
  first_ = step.last;
  waiting_.push_back(std::move(pair));
  ticks_.push_back(step.end - step.begin);
  if (ticks_.size() > measured) ticks_.pop_front();
}

std::optional<LivePair> DelayedSteps::next() {
  if (std::ssize(waiting_) <= steps()) return std::nullopt;
  auto pair = std::move(waiting_.front());
  waiting_.pop_front();
  return pair;
}

void DelayedSteps::interrupt() {
  waiting_.clear();
  first_ = true;
}

std::int64_t DelayedSteps::steps() const {
  const double all = std::accumulate(ticks_.begin(), ticks_.end(), 0.0);
  return all > 0 ? std::lround(delay_ * static_cast<double>(ticks_.size()) / all) : 0;
}

void DelayedSteps::write(std::string& bytes) const {
  for (const double tick : ticks_) append(bytes, tick);
  for (const auto& pair : waiting_) write_pair(bytes, pair);
  append(bytes, first_);
}

void write_pair(std::string& bytes, const LivePair& pair) {
  append(bytes, *pair.percept);
  append(bytes, pair.action);
  append(bytes, pair.first);
  append(bytes, pair.chance);
}

}  // namespace rlhf::algorithms
