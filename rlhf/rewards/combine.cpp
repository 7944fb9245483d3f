#include "rlhf/rewards/combine.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "rlhf/core/error.h"

namespace rlhf::rewards {
namespace {

void check(const std::vector<WeightedReward>& rewards) {
  const auto fail = [](std::string what, std::string fix) {
    throw Error({.category = Category::usage, .where = "rewards.combine", .what = std::move(what), .fix = std::move(fix)});
  };
  if (rewards.empty()) fail("there is no reward to combine", "Name at least one.");
  std::set<std::string> names;
  for (const auto& [name, weight, reward] : rewards) {
    if (name.empty()) fail("a reward has no name", "Names are the keys of the score's parts.");
    if (!names.insert(name).second) fail(fmt::format("the name '{}' is used twice", name), "Give each reward its own.");
    if (!std::isfinite(weight)) fail(fmt::format("the weight of '{}' is {}", name, weight), "Use a finite number.");
    if (!reward) fail(fmt::format("'{}' has no function", name), "");
  }
}

}  // namespace

RewardFn combine(std::vector<WeightedReward> rewards) {
  check(rewards);
  return [rewards = std::move(rewards)](std::span<const data::Prompt> prompts,
                                        std::span<const data::Completion> completions) {
    std::vector<Score> total(completions.size());
    for (const auto& [name, weight, reward] : rewards) {
      const auto scores = reward(prompts, completions);
      if (scores.size() != total.size()) {
        throw Error({.category = Category::failure,
                     .where = "rewards." + name,
                     .what = fmt::format("returned {} scores for {} completions", scores.size(), total.size()),
                     .fix = "A reward returns one score for each completion, in their order."});
      }
      for (std::size_t i = 0; i < total.size(); ++i) {
        total[i].value += weight * scores[i].value;
        total[i].parts[name] = scores[i].value;
        for (const auto& [part, value] : scores[i].parts) total[i].parts[name + "/" + part] = value;
      }
    }
    return total;
  };
}

}  // namespace rlhf::rewards
