#pragma once
#include <string>
#include <vector>

#include "rlhf/rewards/score.h"

namespace rlhf::rewards {

struct WeightedReward {
  std::string name;  // key in the parts
  double weight = 1.0;
  RewardFn reward;
};

/// The weighted sum of several rewards. parts[name] is a reward's own value, unweighted, and parts[name + "/" + part]
/// what it was made of, so the log shows which component moved. Throws rlhf::Error when there is no reward, a name is
/// empty or used twice, a weight is not finite, or a reward returns another number of scores than it was given.
RewardFn combine(std::vector<WeightedReward> rewards);

}  // namespace rlhf::rewards
