#include "rlhf/algorithms/clipped_surrogate.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/max.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/square.h>
#include <ATen/ops/var.h>

#include <limits>
#include <string>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

void require_same_shape(const char* where, const Tensor& one, const Tensor& two, const Tensor& three, const Tensor& mask) {
  if (one.sizes() == two.sizes() && one.sizes() == three.sizes() && (!mask.defined() || mask.sizes() == one.sizes()) &&
      one.numel() > 0)
    return;
  throw Error({.category = Category::usage,
               .where = where,
               .what = "expected tensors of one shape with at least one token; got " + std::to_string(one.numel()) + ", " +
                       std::to_string(two.numel()) + ", " + std::to_string(three.numel()) + " entries",
               .fix = "Take all of them from the same batch."});
}

// Sums what counts and divides by the tokens of the whole step, so that pieces add up to one batch.
class Mean {
 public:
  Mean(const Tensor& mask, std::int64_t tokens, double denominator)
      : mask_(mask), denominator_(denominator > 0 ? denominator : mask.defined() ? mask.sum().item<double>() : double(tokens)) {
    if (denominator_ <= 0)
      throw Error({.category = Category::usage, .where = "clipped_surrogate", .what = "no token counts: the mask is all false",
                   .fix = "Drop completions without tokens before they reach the loss."});
  }

  Tensor operator()(const Tensor& values) const {
    return (mask_.defined() ? values.masked_fill(mask_.logical_not(), 0) : values).sum() / denominator_;
  }

 private:
  Tensor mask_;
  double denominator_;
};

}  // namespace

PolicyLoss clipped_policy_loss(const PolicyTerms& terms, double clip, double denominator) {
  require_same_shape("clipped_policy_loss", terms.logprobs, terms.old_logprobs, terms.advantages, terms.mask);
  const Mean mean(terms.mask, terms.logprobs.numel(), denominator);

  const Tensor log_ratio = terms.logprobs - terms.old_logprobs;
  const Tensor ratio = at::exp(log_ratio);
  const Tensor plain = -terms.advantages * ratio;
  const Tensor clipped = -terms.advantages * at::clamp(ratio, 1 - clip, 1 + clip);

  const Tensor seen = terms.mask.defined() ? ratio.detach().masked_fill(terms.mask.logical_not(), 0) : ratio.detach();
  return {.loss = mean(at::maximum(plain, clipped)),
          .metrics = {.approx_kl = 0.5 * mean(at::square(log_ratio.detach())),
                      .clip_fraction = mean((clipped > plain).to(at::kFloat)),
                      .ratio = mean(ratio.detach()),
                      .ratio_max = seen.max()}};
}

ValueLoss clipped_value_loss(const ValueTerms& terms, double clip, double denominator) {
  require_same_shape("clipped_value_loss", terms.values, terms.old_values, terms.returns, terms.mask);
  const Mean mean(terms.mask, terms.values.numel(), denominator);

  const Tensor near = at::minimum(at::maximum(terms.values, terms.old_values - clip), terms.old_values + clip);
  const Tensor plain = at::square(terms.values - terms.returns);
  const Tensor clipped = at::square(near - terms.returns);

  return {.loss = 0.5 * mean(at::maximum(plain, clipped)),
          .metrics = {.clip_fraction = mean((clipped > plain).to(at::kFloat)), .error = mean(plain.detach())}};
}

double explained_variance(const Tensor& values, const Tensor& returns) {
  const double total = at::var(returns, /*unbiased=*/false).item<double>();
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  return 1 - at::var(returns - values, /*unbiased=*/false).item<double>() / total;
}

}  // namespace rlhf::algorithms
