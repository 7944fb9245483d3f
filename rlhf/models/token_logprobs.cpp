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
  const auto transposed = weight.t();
  for (std::int64_t first = 0; first < rows; first += chunk) {
    const auto count = std::min(chunk, rows - first);
    auto logits = buffer.slice(0, 0, count);
    at::mm_out(logits, hidden.slice(0, first, first + count), transposed);
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

/// Where the head is frozen, the forward pass also makes d(logprob)/d(hidden) [positions, width], which does not depend on
/// the loss: the backward pass is then one product a row, and no logit is computed twice.
struct TokenLogprobsFunction : torch::autograd::Function<TokenLogprobsFunction> {
  static variable_list forward(AutogradContext* context, const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                               double temperature, bool entropy, std::int64_t chunk, bool train_hidden, bool train_weight) {
    const auto rows = hidden.size(0);
    const auto inverse = static_cast<float>(1.0 / temperature);
    auto logprobs = at::empty({rows}, at::kFloat), normalisers = at::empty({rows}, at::kFloat),
         entropies = at::empty({entropy ? rows : 0}, at::kFloat);
    auto jacobian = train_hidden && !train_weight ? at::empty_like(hidden) : Tensor();
    const auto* target = targets.const_data_ptr<std::int64_t>();
    auto *logprob = logprobs.mutable_data_ptr<float>(), *normaliser = normalisers.mutable_data_ptr<float>(),
         *entropy_out = entropies.mutable_data_ptr<float>();
    for_each_chunk(hidden, weight, chunk, [&](std::int64_t first, Tensor& logits) {
      const auto width = logits.size(1);
      const auto* data = logits.const_data_ptr<float>();
      at::parallel_for(0, logits.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto row = begin; row < end; ++row) {
          const auto summary = kernels::summarise_row(data + row * width, width, inverse, entropy);
          normaliser[first + row] = summary.log_normaliser;
          logprob[first + row] = data[row * width + target[first + row]] * inverse - summary.log_normaliser;
          if (entropy) entropy_out[first + row] = summary.entropy;
        }
      });
      if (jacobian.defined()) {
        logits_to_gradient(logits, first, normaliser, target, nullptr, inverse);
        auto part = jacobian.slice(0, first, first + logits.size(0));
        at::mm_out(part, logits, weight);
      }
    });
    if (jacobian.defined()) {
      context->save_for_backward({jacobian});
    } else {
      context->save_for_backward({hidden, weight, targets, normalisers});
    }
    context->saved_data["temperature"] = temperature;
    context->saved_data["chunk"] = chunk;
    context->saved_data["train_weight"] = train_weight;
    context->mark_non_differentiable({entropies});
    return {logprobs, entropies};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto upstream = gradients[0].contiguous();
    if (!context->saved_data["train_weight"].toBool()) {
      return {saved[0].mul(upstream.unsqueeze(1)), {}, {}, {}, {}, {}, {}, {}};
    }
    const auto &hidden = saved[0], &weight = saved[1], &targets = saved[2], &normalisers = saved[3];
    const auto inverse = static_cast<float>(1.0 / context->saved_data["temperature"].toDouble());
    auto grad_hidden = at::empty_like(hidden), grad_weight = at::empty_like(weight);
    for_each_chunk(hidden, weight, context->saved_data["chunk"].toInt(), [&](std::int64_t first, Tensor& logits) {
      logits_to_gradient(logits, first, normalisers.const_data_ptr<float>(), targets.const_data_ptr<std::int64_t>(),
                         upstream.const_data_ptr<float>(), inverse);
      auto part = grad_hidden.slice(0, first, first + logits.size(0));
      at::mm_out(part, logits, weight);
      const auto inputs = hidden.slice(0, first, first + logits.size(0));
      if (first == 0) {
        at::mm_out(grad_weight, logits.t(), inputs);
      } else {
        grad_weight.addmm_(logits.t(), inputs);
      }
    });
    return {grad_hidden, grad_weight, {}, {}, {}, {}, {}, {}};
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
  const auto outputs = TokenLogprobsFunction::apply(
      hidden.contiguous(), weight, targets.contiguous(), options.temperature, options.entropy,
      rows_in_a_chunk(options.chunk, weight.size(0)), differentiate && hidden.requires_grad(),
      differentiate && weight.requires_grad());
  return {.logprobs = outputs[0], .entropy = options.entropy ? outputs[1] : Tensor()};
}

}  // namespace rlhf::models
