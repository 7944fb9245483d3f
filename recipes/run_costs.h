#pragma once
#include <map>
#include <string>

#include "rlhf/algorithms/reward_training.h"
#include "rlhf/core/run.h"
#include "rlhf/feedback/store.h"

namespace rlhf::recipes {

/// What a run cost, for its report: time by phase, peak memory, labels. Adds them to run.json.
class RunCosts {
 public:
  explicit RunCosts(Run& run);

  /// The time since the last call (or the beginning) belongs to this phase.
  void phase(const std::string& name);

  void write(const feedback::Counts& labels, double flip_rate, const algorithms::RewardResult& reward);

 private:
  Run& run_;
  double last_;
  std::map<std::string, double> seconds_;
};

/// Mean of a metric over the last `count` rows of metrics.jsonl that have it; NaN when none has.
double mean_of_last(const Run& run, const std::string& metric, std::size_t count);

}  // namespace rlhf::recipes
