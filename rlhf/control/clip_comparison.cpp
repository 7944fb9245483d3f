#include "rlhf/control/clip_comparison.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "rlhf/core/error.h"

namespace rlhf::control {

Tensor preferred_of(ClipComparisons comparisons) {
  std::vector<float> preferred;
  for (const auto* comparison : comparisons) preferred.push_back(static_cast<float>(comparison->preferred));
  return at::tensor(preferred);
}

Tensor returns_of(ClipComparisons comparisons) {
  std::vector<float> returns;
  for (const auto* comparison : comparisons) {
    if (!comparison->returns)
      throw Error({.category = Category::usage,
                   .where = "reward.fit_to",
                   .what = "what these clips earned in truth is not known",
                   .fix = "Set fit_to = comparisons."});
    for (const double earned : *comparison->returns) returns.push_back(static_cast<float>(earned));
  }
  return at::tensor(returns);
}

ClipRows::ClipRows(ClipComparisons comparisons) {
  std::vector<Tensor> pieces;
  std::vector<std::int64_t> owner;
  for (const auto* comparison : comparisons)
    for (const auto* clip : {&comparison->first, &comparison->second}) {
      owner.insert(owner.end(), static_cast<std::size_t>(clip->size(0)), std::ssize(pieces));
      pieces.push_back(*clip);
    }
  steps = at::cat(pieces);
  of_step = at::tensor(owner);
  clips = std::ssize(pieces);
}

Tensor ClipRows::sums(const Tensor& rewards) const {
  return at::zeros({clips}, at::kFloat).index_add(0, of_step, rewards);
}

Tensor gaps_of(const Tensor& sums) {
  const auto pairs = sums.view({-1, 2});
  return pairs.select(1, 0) - pairs.select(1, 1);
}

}  // namespace rlhf::control
