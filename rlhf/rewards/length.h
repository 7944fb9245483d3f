#pragma once
#include <cstdint>
#include <optional>

#include "rlhf/rewards/score.h"

namespace rlhf::rewards {

enum class LengthUnit { tokens, words, characters };

struct LengthOptions {
  LengthUnit unit = LengthUnit::tokens;
  std::optional<std::int64_t> target = std::nullopt;  // > 0; none: the length itself is the score
};

/// Without a target the score is the length; with one it is 1 - |length - target| / target, never below -1.
/// Words are what white space separates, characters are Unicode code points. Part: length.
RewardFn length_reward(LengthOptions options = {});

}  // namespace rlhf::rewards
