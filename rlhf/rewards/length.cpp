#include "rlhf/rewards/length.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/rewards/unicode.h"

namespace rlhf::rewards {
namespace {

std::size_t measure(const data::Completion& completion, LengthUnit unit) {
  switch (unit) {
    case LengthUnit::tokens: return completion.ids.size();
    case LengthUnit::words: return split(completion.text).size();
    case LengthUnit::characters: return length(completion.text);
  }
  return 0;
}

}  // namespace

RewardFn length_reward(LengthOptions options) {
  if (options.target && *options.target <= 0) {
    throw Error({.category = Category::usage,
                 .where = "rewards.length.target",
                 .what = fmt::format("{} is no length to aim at", *options.target),
                 .fix = "Give a positive number, or leave it out to reward length itself."});
  }
  return [options](std::span<const data::Prompt>, std::span<const data::Completion> completions) {
    std::vector<Score> scores;
    scores.reserve(completions.size());
    for (const auto& completion : completions) {
      const auto size = static_cast<double>(measure(completion, options.unit));
      double value = size;
      if (options.target) {
        const auto target = static_cast<double>(*options.target);
        value = std::max(-1.0, 1.0 - std::abs(size - target) / target);
      }
      scores.push_back({.value = value, .parts = {{"length", size}}});
    }
    return scores;
  };
}

}  // namespace rlhf::rewards
