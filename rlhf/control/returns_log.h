#pragma once
#include <vector>

#include "rlhf/control/rollout.h"
#include "rlhf/core/files.h"
#include "rlhf/core/run.h"

namespace rlhf::control {

/// <run>/returns.jsonl: a row for each episode that ended, and for each 1,000 steps of longer ones, {"step", "env",
/// "length", "predicted", "earned"}: the sums of what the policy was paid, by the reward model of the time, and of what
/// it earned in truth. What nobody saw begin is left out.
class ReturnsLog {
 public:
  /// Goes on from where the file was at the run's checkpoint.
  explicit ReturnsLog(const Run& run);

  /// The steps of rollout `index`; predicted [envs, steps].
  void add(std::int64_t index, const Rollout& rollout, const Tensor& predicted);

  /// "returns" and "stretches" of a checkpoint's record.
  void save(nlohmann::json& record);
  void restore(const nlohmann::json& record);

 private:
  /// What an environment's present episode, or piece of it, came to so far.
  struct Stretch {
    std::int64_t episode = -1, steps = 0;
    double predicted = 0, earned = 0;
    bool from_start = false;  // of the episode or of a piece; otherwise nobody looked at its beginning
  };

  AppendFile file_;
  std::vector<Stretch> stretches_;  // [envs]
};

}  // namespace rlhf::control
