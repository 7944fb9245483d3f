#include "rlhf/algorithms/clipped_surrogate.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/max.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/square.h>
#include <ATen/ops/var.h>

#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

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

  double denominator() const { return denominator_; }

 private:
  Tensor mask_;
  double denominator_;
};

bool plain(std::initializer_list<Tensor> tensors) {
  for (const auto& tensor : tensors)
    if (tensor.defined() && (!tensor.is_cpu() || (tensor.scalar_type() != at::kFloat && tensor.scalar_type() != at::kBool)))
      return false;
  return true;
}

/// A loss whose gradient with respect to its one input was found while it was computed: one node of the graph instead of a
/// dozen, which is what small batches pay for.
struct WithGradient : torch::autograd::Function<WithGradient> {
  static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& loss, const Tensor& gradient) {
    context->save_for_backward({gradient});
    return loss.clone();
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return {gradients[0] * context->get_saved_variables()[0], Tensor(), Tensor()};
  }
};

Tensor scalar(double value) { return at::scalar_tensor(value, at::kFloat); }

/// What counts, entry by entry, of tensors in plain memory.
template <class Body>
void for_counted(const Tensor& mask, std::int64_t entries, const Body& body) {
  const auto kept = mask.defined() ? mask.contiguous() : Tensor();
  const bool* keep = mask.defined() ? kept.const_data_ptr<bool>() : nullptr;
  for (std::int64_t i = 0; i < entries; ++i)
    if (keep == nullptr || keep[i]) body(i);
}

PolicyLoss policy_loss_in_one_pass(const PolicyTerms& terms, double clip, double denominator) {
  const auto logprobs = terms.logprobs.detach().contiguous(), old_logprobs = terms.old_logprobs.contiguous(),
             advantages = terms.advantages.contiguous();
  auto gradient = at::zeros_like(logprobs);
  auto* const slope = gradient.mutable_data_ptr<float>();
  double loss = 0, squares = 0, moves = 0, clips = 0, ratios = 0, largest = 0;
  for_counted(terms.mask, logprobs.numel(), [&, now = logprobs.const_data_ptr<float>(),
                                             old = old_logprobs.const_data_ptr<float>(),
                                             advantage = advantages.const_data_ptr<float>()](std::int64_t i) {
    const float moved = now[i] - old[i], ratio = std::exp(moved);
    const float free = -advantage[i] * ratio;
    const float clipped = -advantage[i] * std::clamp(ratio, float(1 - clip), float(1 + clip));
    const bool inside = ratio >= float(1 - clip) && ratio <= float(1 + clip);
    loss += std::max(free, clipped);
    // Where both are equal, half the slope comes from each: inside, the halves are the same.
    slope[i] = free > clipped || inside ? free : free == clipped ? free / 2 : 0.0F;
    squares += double(moved) * moved;
    moves += std::expm1(double(moved)) - moved;
    clips += clipped > free;
    ratios += ratio;
    largest = std::max(largest, double(ratio));
  });
  gradient.div_(denominator);
  return {.loss = WithGradient::apply(terms.logprobs, scalar(loss / denominator), gradient),
          .metrics = {.approx_kl = scalar(0.5 * squares / denominator),
                      .kl = scalar(moves / denominator),
                      .clip_fraction = scalar(clips / denominator),
                      .ratio = scalar(ratios / denominator),
                      .ratio_max = scalar(largest)}};
}

ValueLoss value_loss_in_one_pass(const ValueTerms& terms, double clip, double denominator) {
  const auto values = terms.values.detach().contiguous(), old_values = terms.old_values.contiguous(),
             returns = terms.returns.contiguous();
  auto gradient = at::zeros_like(values);
  auto* const slope = gradient.mutable_data_ptr<float>();
  double loss = 0, clips = 0, errors = 0;
  for_counted(terms.mask, values.numel(), [&, now = values.const_data_ptr<float>(), old = old_values.const_data_ptr<float>(),
                                           wanted = returns.const_data_ptr<float>()](std::int64_t i) {
    const float low = old[i] - float(clip), high = old[i] + float(clip), near = std::min(std::max(now[i], low), high);
    const float free = now[i] - wanted[i], clipped = near - wanted[i];
    const bool inside = now[i] >= low && now[i] <= high;
    loss += std::max(free * free, clipped * clipped);
    slope[i] = free * free > clipped * clipped || inside ? free : free * free == clipped * clipped ? free / 2 : 0.0F;
    clips += clipped * clipped > free * free;
    errors += double(free) * free;
  });
  gradient.div_(denominator);
  return {.loss = WithGradient::apply(terms.values, scalar(0.5 * loss / denominator), gradient),
          .metrics = {.clip_fraction = scalar(clips / denominator), .error = scalar(errors / denominator)}};
}

}  // namespace

PolicyLoss clipped_policy_loss(const PolicyTerms& terms, double clip, double denominator) {
  require_same_shape("clipped_policy_loss", terms.logprobs, terms.old_logprobs, terms.advantages, terms.mask);
  const Mean mean(terms.mask, terms.logprobs.numel(), denominator);
  if (plain({terms.logprobs, terms.old_logprobs, terms.advantages, terms.mask}))
    return policy_loss_in_one_pass(terms, clip, mean.denominator());

  const Tensor log_ratio = terms.logprobs - terms.old_logprobs;
  const Tensor ratio = at::exp(log_ratio);
  const Tensor plain = -terms.advantages * ratio;
  const Tensor clipped = -terms.advantages * at::clamp(ratio, 1 - clip, 1 + clip);

  const Tensor seen = terms.mask.defined() ? ratio.detach().masked_fill(terms.mask.logical_not(), 0) : ratio.detach();
  return {.loss = mean(at::maximum(plain, clipped)),
          .metrics = {.approx_kl = 0.5 * mean(at::square(log_ratio.detach())),
                      .kl = mean(at::expm1(log_ratio.detach()) - log_ratio.detach()),
                      .clip_fraction = mean((clipped > plain).to(at::kFloat)),
                      .ratio = mean(ratio.detach()),
                      .ratio_max = seen.max()}};
}

ValueLoss clipped_value_loss(const ValueTerms& terms, double clip, double denominator) {
  require_same_shape("clipped_value_loss", terms.values, terms.old_values, terms.returns, terms.mask);
  const Mean mean(terms.mask, terms.values.numel(), denominator);
  if (plain({terms.values, terms.old_values, terms.returns, terms.mask}))
    return value_loss_in_one_pass(terms, clip, mean.denominator());

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
