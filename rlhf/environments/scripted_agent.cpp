#include "rlhf/environments/scripted_agent.h"

#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::environments {

Action balance_cart_pole(const Array& observation) {
  const auto& state = std::get<std::vector<float>>(observation);
  // The angle's terms keep the pole up, the cart's bring it back to the middle: leaning away comes before moving away.
  const double lean = 0.1 * state[0] + 0.3 * state[1] + 4.0 * state[2] + 1.0 * state[3];
  return std::int64_t{lean > 0 ? 1 : 0};
}

Action walk_to_bowl(const Array& observation, std::int64_t columns) {
  const auto& cell = std::get<std::vector<std::int64_t>>(observation);
  constexpr std::int64_t up = 0, right = 1, down = 2;
  if (cell[0] == columns - 1) return down;
  return cell[1] == 0 ? up : right;
}

Policy random_choice(const Spec& spec) {
  const auto* space = std::get_if<Discrete>(&spec.action);
  if (!space) {
    throw Error({.category = Category::usage,
                 .where = "random_choice",
                 .what = "the actions of " + spec.name + " are no choices",
                 .fix = "Write a policy that draws within the bounds of its Box."});
  }
  const auto choices = static_cast<std::int64_t>(space->choices.size());
  return [choices](const Array&, Random& random) -> Action { return random.below(choices); };
}

Policy with_noise(Policy policy, const Spec& spec, double share) {
  return [policy = std::move(policy), any = random_choice(spec), share](const Array& observation, Random& random) {
    return random.uniform() < share ? any(observation, random) : policy(observation, random);
  };
}

}  // namespace rlhf::environments
