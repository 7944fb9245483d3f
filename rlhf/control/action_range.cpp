#include "rlhf/control/action_range.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "rlhf/core/error.h"

namespace rlhf::control {

ActionRange::ActionRange(const environments::Spec& spec) {
  const auto* box = std::get_if<environments::Box>(&spec.action);
  if (!box)
    throw Error({.category = Category::usage,
                 .where = "environment " + spec.name,
                 .what = "its actions are choices; this agent's are numbers",
                 .fix = "Take dqn or control_ppo."});
  std::int64_t count = 1;
  for (const auto side : box->shape) count *= side;
  std::vector<float> middles, halves;
  for (std::int64_t i = 0; i < count; ++i) {
    const double low = box->low[box->low.size() == 1 ? 0 : i], high = box->high[box->high.size() == 1 ? 0 : i];
    if (!std::isfinite(low) || !std::isfinite(high))
      throw Error({.category = Category::usage,
                   .where = "environment " + spec.name,
                   .what = "its actions have no bounds",
                   .fix = "Take control_ppo, which needs none."});
    middles.push_back(static_cast<float>((low + high) / 2));
    halves.push_back(static_cast<float>((high - low) / 2));
  }
  middle = at::tensor(middles);
  half = at::tensor(halves);
}

Tensor ActionRange::to_environment(const Tensor& actions) const { return (actions * half + middle).contiguous(); }

}  // namespace rlhf::control
