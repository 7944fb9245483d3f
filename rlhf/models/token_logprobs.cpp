#include "rlhf/models/token_logprobs.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <string>

#include "rlhf/core/error.h"
#include "rlhf/models/detail/kernels.h"
#include "rlhf/models/linear.h"

namespace rlhf::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t logits_in_a_chunk = 1 << 23;  // 32 MiB of float32

std::int64_t rows_in_a_chunk(std::int64_t asked, std::int64_t vocabulary) {
  return asked > 0 ? asked : std::max<std::int64_t>(16, logits_in_a_chunk / vocabulary);
}

/// Calls `use(first, logits)` for each chunk of rows; `logits` [rows, vocabulary] lives in one buffer used again and again.
template <class Use>
void for_each_chunk(const Tensor& hidden, const Tensor& weight, std::int64_t chunk, const Use& use) {
  const auto rows = hidden.size(0);
  auto buffer = at::empty({std::min(chunk, rows), weight.size(0)}, at::kFloat);
  for (std::int64_t first = 0; first < rows; first += chunk) {
    const auto count = std::min(chunk, rows - first);
    auto logits = buffer.slice(0, 0, count);
    decoding_product_out(logits, hidden.slice(0, first, first + count), weight);
    use(first, logits);
  }
}

/// Rows of logits become d(logprob)/d(logits) * upstream: (one-hot - softmax) * upstream / temperature.
void logits_to_gradient(Tensor& logits, std::int64_t first, const float* normalisers, const std::int64_t* targets,
                        const float* upstream, float inverse_temperature) {
  const auto width = logits.size(1);
  auto* data = logits.mutable_data_ptr<float>();
  at::parallel_for(0, logits.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto row = begin; row < end; ++row) {
      const float share = (upstream == nullptr ? 1.0f : upstream[first + row]) * inverse_temperature;
      kernels::softmax_row(data + row * width, width, inverse_temperature, normalisers[first + row], -share);
      data[row * width + targets[first + row]] += share;
    }
  });
}

/// total (+)= logits^T hidden.
void add_weight_gradient(Tensor& total, const Tensor& logits, const Tensor& hidden, bool first) {
  if (first) at::mm_out(total, logits.t(), hidden);
  else total.addmm_(logits.t(), hidden);
}

/// The one gradient of all positions; on CPU, where this code runs, reading it waits for nothing.
Tensor common_gradient(const Tensor& upstream) {
  const auto one = upstream.slice(0, 0, 1);
  if (upstream.eq(one).all().item<bool>()) return one;
  throw Error({.category = Category::failure,
               .where = "models.token_logprobs",
               .what = "sum_only was promised, but the loss weighs its positions differently",
               .fix = "Leave sum_only out for such a loss."});
}

struct HeadSettings {
  double temperature;
  bool entropy, sum_only, train_hidden, train_weight;
  std::int64_t chunk;

  /// Where the head is frozen, d(logprob)/d(hidden) does not depend on the loss, and where only the sum counts, the head's
  /// own gradient doesn't either, but for a factor: both are then made in the forward pass, and no logit is made twice.
  bool gradients_ahead() const { return (train_hidden || train_weight) && (sum_only || !train_weight); }
};

struct TokenLogprobsFunction : torch::autograd::Function<TokenLogprobsFunction> {
  static variable_list forward(AutogradContext* context, const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                               const HeadSettings& settings) {
    const auto rows = hidden.size(0);
    const auto inverse = static_cast<float>(1.0 / settings.temperature);
    const bool ahead = settings.gradients_ahead();
    auto logprobs = at::empty({rows}, at::kFloat), normalisers = at::empty({rows}, at::kFloat), likeliest = at::empty({rows}, at::kBool),
         entropies = at::empty({settings.entropy ? rows : 0}, at::kFloat);
    auto grad_hidden = ahead ? at::empty_like(hidden) : Tensor(), grad_weight = ahead && settings.train_weight ? at::empty_like(weight) : Tensor();
    const auto* target = targets.const_data_ptr<std::int64_t>();
    auto *logprob = logprobs.mutable_data_ptr<float>(), *normaliser = normalisers.mutable_data_ptr<float>(),
         *entropy = entropies.mutable_data_ptr<float>();
    auto* top = likeliest.mutable_data_ptr<bool>();
    for_each_chunk(hidden, weight, settings.chunk, [&](std::int64_t first, Tensor& logits) {
      const auto width = logits.size(1);
      const auto* data = logits.const_data_ptr<float>();
      at::parallel_for(0, logits.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto row = begin; row < end; ++row) {
          const auto summary = kernels::summarise_row(data + row * width, width, inverse, settings.entropy);
          const float logit = data[row * width + target[first + row]];
          normaliser[first + row] = summary.log_normaliser;
          logprob[first + row] = logit * inverse - summary.log_normaliser;
          top[first + row] = logit == summary.largest;
          if (settings.entropy) entropy[first + row] = summary.entropy;
        }
      });
      if (!ahead) return;
      logits_to_gradient(logits, first, normaliser, target, nullptr, inverse);
      auto part = grad_hidden.slice(0, first, first + logits.size(0));
      at::mm_out(part, logits, weight);
      if (grad_weight.defined()) add_weight_gradient(grad_weight, logits, hidden.slice(0, first, first + logits.size(0)), first == 0);
    });
    if (ahead) context->save_for_backward({grad_hidden, grad_weight});
    else context->save_for_backward({hidden, weight, targets, normalisers});
    context->saved_data["temperature"] = settings.temperature;
    context->saved_data["chunk"] = settings.chunk;
    context->saved_data["ahead"] = ahead;
    context->mark_non_differentiable({entropies, likeliest});
    return {logprobs, entropies, likeliest};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto upstream = gradients[0].contiguous();
    if (context->saved_data["ahead"].toBool()) {
      auto grad_weight = saved[1].defined() ? saved[1].mul_(common_gradient(upstream)) : Tensor();
      return {saved[0].mul(upstream.unsqueeze(1)), grad_weight, {}, {}};
    }
    const auto &hidden = saved[0], &weight = saved[1], &targets = saved[2], &normalisers = saved[3];
    const auto inverse = static_cast<float>(1.0 / context->saved_data["temperature"].toDouble());
    auto grad_hidden = at::empty_like(hidden), grad_weight = at::empty_like(weight);
    for_each_chunk(hidden, weight, context->saved_data["chunk"].toInt(), [&](std::int64_t first, Tensor& logits) {
      logits_to_gradient(logits, first, normalisers.const_data_ptr<float>(), targets.const_data_ptr<std::int64_t>(),
                         upstream.const_data_ptr<float>(), inverse);
      auto part = grad_hidden.slice(0, first, first + logits.size(0));
      at::mm_out(part, logits, weight);
      add_weight_gradient(grad_weight, logits, hidden.slice(0, first, first + logits.size(0)), first == 0);
    });
    return {grad_hidden, grad_weight, {}, {}};
  }
};

void require_shapes(const Tensor& hidden, const Tensor& weight, const Tensor& targets) {
  if (hidden.dim() == 2 && weight.dim() == 2 && hidden.size(1) == weight.size(1) && targets.dim() == 1 &&
      targets.size(0) == hidden.size(0) && targets.scalar_type() == at::kLong) {
    return;
  }
  const auto shape = [](const Tensor& tensor) {
    std::string text = "[";
    for (const auto size : tensor.sizes()) text += std::to_string(size) + " ";
    return text + "]";
  };
  throw Error({.category = Category::failure,
               .where = "models.token_logprobs",
               .what = "hidden " + shape(hidden) + ", weight " + shape(weight) + " and targets " + shape(targets) +
                       " do not fit: expected [positions, width], [vocabulary, width] and int64 [positions]",
               .fix = {}});
}

}  // namespace

TokenLogprobs token_logprobs(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                             const TokenLogprobsOptions& options) {
  require_shapes(hidden, weight, targets);
  const bool differentiate = at::GradMode::is_enabled();
  const auto outputs = TokenLogprobsFunction::apply(hidden.contiguous(), weight, targets.contiguous(),
                                                    HeadSettings{.temperature = options.temperature,
                                                                 .entropy = options.entropy,
                                                                 .sum_only = options.sum_only,
                                                                 .train_hidden = differentiate && hidden.requires_grad(),
                                                                 .train_weight = differentiate && weight.requires_grad(),
                                                                 .chunk = rows_in_a_chunk(options.chunk, weight.size(0))});
  return {.logprobs = outputs[0], .entropy = options.entropy ? outputs[1] : Tensor(), .likeliest = outputs[2]};
}

}  // namespace rlhf::models
