#include "rlhf/control/clip_comparison.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace rlhf::control {

Tensor preferred_of(ClipComparisons comparisons) {
  std::vector<float> preferred;
  for (const auto* comparison : comparisons) preferred.push_back(static_cast<float>(comparison->preferred));
  return at::tensor(preferred);
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

Tensor ClipRows::gaps(const Tensor& rewards) const {
  const auto sums = at::zeros({clips}, at::kFloat).index_add(0, of_step, rewards).view({-1, 2});
  return sums.select(1, 0) - sums.select(1, 1);
}

}  // namespace rlhf::control
