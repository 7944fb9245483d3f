#pragma once
#include <string>

#include "rlhf/rewards/score.h"

namespace rlhf::rewards {

enum class RegexMode {
  search,  // the pattern occurs somewhere
  full,    // the pattern covers the whole completion
  count,   // `match` times the number of occurrences that do not overlap
};

struct RegexOptions {
  std::string pattern;  // RE2 syntax: time linear in the text, whatever a model writes
  RegexMode mode = RegexMode::search;
  bool ignore_case = false;
  double match = 1.0;  // score where it matches
  double miss = 0.0;   // score where it does not
};

/// Throws rlhf::Error with RE2's own message when the pattern is not valid. Part: matches.
RewardFn regex_reward(const RegexOptions& options);

}  // namespace rlhf::rewards
