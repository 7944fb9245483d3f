#include "rlhf/models/heads.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "rlhf/core/seed.h"

namespace rlhf::models {

Tensor ScalarHead::apply(const Tensor& hidden) const {
  return (bias.defined() ? at::linear(hidden, weight, bias) : at::linear(hidden, weight)).squeeze(-1);
}

ScalarHead zero_head(std::int64_t width) { return {at::zeros({1, width}, at::kFloat), at::zeros({1}, at::kFloat)}; }

ScalarHead reward_head(std::int64_t width, std::uint64_t seed) {
  ScalarHead head{at::empty({1, width}, at::kFloat), at::zeros({1}, at::kFloat)};
  Random random(seed);
  const double deviation = 1.0 / std::sqrt(static_cast<double>(width) + 1.0);
  auto* weight = head.weight.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < width; ++i) weight[i] = static_cast<float>(deviation * random.normal());
  return head;
}

}  // namespace rlhf::models
