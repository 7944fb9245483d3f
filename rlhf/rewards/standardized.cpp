#include "rlhf/rewards/standardized.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"

namespace rlhf::rewards {

Standardized Standardized::fit(std::span<const double> head, double mean, double deviation) {
  const auto fail = [](std::string what, std::string fix) {
    throw Error({.category = Category::bad_data, .where = "rewards.standardized", .what = std::move(what), .fix = std::move(fix)});
  };
  if (head.size() < 2) fail(fmt::format("{} scores are too few to know their spread", head.size()), "Score 256 samples.");
  const auto count = static_cast<double>(head.size());
  double sum = 0.0, squares = 0.0;
  for (const double value : head) sum += value;
  const double found = sum / count;
  for (const double value : head) squares += (value - found) * (value - found);
  if (!std::isfinite(squares)) fail("a score is not finite", "Look for a diverged reward model.");
  const auto [low, high] = std::minmax_element(head.begin(), head.end());
  if (*low == *high) fail(fmt::format("all {} scores are {}", head.size(), *low), "A reward model that does not tell samples apart cannot train a policy.");
  const double gain = deviation / std::sqrt(squares / count);
  return {.gain = gain, .bias = mean - gain * found};
}

}  // namespace rlhf::rewards
