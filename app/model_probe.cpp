#include "app/model_probe.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>

#include "rlhf/core/seed.h"
#include "rlhf/models/batch.h"

namespace rlhf::app {

TokenIds probe_tokens(std::int64_t vocabulary, std::int64_t count) {
  Random random(hash("probe tokens"));
  TokenIds ids;
  for (std::int64_t i = 0; i < count; ++i) ids.push_back(random.below(vocabulary));
  return ids;
}

Tensor next_token_logprobs(const models::LanguageModel& model, const TokenIds& ids, bool adapters) {
  const at::NoGradGuard no_gradients;
  const auto hidden = model.forward(models::pack({&ids, 1}), {.adapters = adapters});
  return at::log_softmax(at::linear(hidden, model.output_weight()), -1);
}

Distance distance(const Tensor& left, const Tensor& right) {
  return {.largest = left.sub(right).abs().max().item<double>(),
          .divergence = left.exp().mul(left.sub(right)).sum(-1).mean().item<double>(),
          .same_best = left.argmax(-1).eq(right.argmax(-1)).to(at::kDouble).mean().item<double>()};
}

std::int64_t parameter_count(const models::LanguageModel& model) {
  std::int64_t count = 0;
  for (const auto& [name, weight] : model.weights()) count += weight.numel();
  return count;
}

}  // namespace rlhf::app
