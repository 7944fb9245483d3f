#pragma once
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "rlhf/data/completion.h"
#include "rlhf/data/prompt.h"

namespace rlhf::rewards {

/// One number for one completion, with the parts it was made of (for the log; may be empty).
struct Score {
  double value = 0.0;
  std::map<std::string, double> parts;
};

/// Scores completions[i] as an answer to prompts[i]; both spans have the same length, and so has the result.
using RewardFn = std::function<std::vector<Score>(std::span<const data::Prompt>, std::span<const data::Completion>)>;

}  // namespace rlhf::rewards
