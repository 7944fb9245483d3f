#include "rlhf/models/distribution.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/square.h>

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace rlhf::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const double log_sqrt_two_pi = 0.5 * std::log(2 * std::numbers::pi);

/// Writes log softmax of a row; returns its entropy.
float log_softmax_row(const float* logits, std::int64_t choices, float* logs) {
  float largest = logits[0], sum = 0, entropy = 0;
  for (std::int64_t i = 1; i < choices; ++i) largest = std::max(largest, logits[i]);
  for (std::int64_t i = 0; i < choices; ++i) sum += std::exp(logits[i] - largest);
  const float normaliser = largest + std::log(sum);
  for (std::int64_t i = 0; i < choices; ++i) {
    logs[i] = logits[i] - normaliser;
    entropy -= std::exp(logs[i]) * logs[i];
  }
  return entropy;
}

Tensor draw_choices(const Tensor& given, Random& random) {
  const auto logits = given.detach().to(at::kCPU, at::kFloat).contiguous();
  const auto rows = logits.size(0), choices = logits.size(1);
  auto drawn = at::empty({rows}, at::kLong);
  auto* choice = drawn.mutable_data_ptr<std::int64_t>();
  std::vector<float> logs(static_cast<std::size_t>(choices));
  for (std::int64_t row = 0; row < rows; ++row) {
    log_softmax_row(logits.const_data_ptr<float>() + row * choices, choices, logs.data());
    double left = random.uniform();
    choice[row] = choices - 1;  // where rounding leaves a little over
    for (std::int64_t i = 0; i < choices - 1; ++i)
      if ((left -= std::exp(logs[static_cast<std::size_t>(i)])) < 0) {
        choice[row] = i;
        break;
      }
  }
  return drawn;
}

/// Log-probability and entropy of choices as one node of the graph.
struct JudgeChoices : torch::autograd::Function<JudgeChoices> {
  static variable_list forward(AutogradContext* context, const Tensor& given, const Tensor& actions) {
    const auto logits = given.contiguous(), chosen = actions.contiguous();
    const auto rows = logits.size(0), choices = logits.size(1);
    auto logs = at::empty_like(logits), logprobs = at::empty({rows}, at::kFloat), entropy = at::empty({rows}, at::kFloat);
    for (std::int64_t row = 0; row < rows; ++row) {
      float* const each = logs.mutable_data_ptr<float>() + row * choices;
      entropy.mutable_data_ptr<float>()[row] =
          log_softmax_row(logits.const_data_ptr<float>() + row * choices, choices, each);
      logprobs.mutable_data_ptr<float>()[row] = each[chosen.const_data_ptr<std::int64_t>()[row]];
    }
    context->save_for_backward({logs, chosen, entropy});
    return {logprobs, entropy};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &logs = saved[0], &chosen = saved[1], &entropy = saved[2];
    const auto rows = logs.size(0), choices = logs.size(1);
    const auto of_logprob = gradients[0].defined() ? gradients[0].contiguous() : Tensor();
    const auto of_entropy = gradients[1].defined() ? gradients[1].contiguous() : Tensor();
    auto result = at::empty_like(logs);
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* const log = logs.const_data_ptr<float>() + row * choices;
      float* const out = result.mutable_data_ptr<float>() + row * choices;
      const float up = of_logprob.defined() ? of_logprob.const_data_ptr<float>()[row] : 0.0F;
      const float wide = of_entropy.defined() ? of_entropy.const_data_ptr<float>()[row] : 0.0F;
      const float mean = entropy.const_data_ptr<float>()[row];
      for (std::int64_t i = 0; i < choices; ++i) out[i] = -std::exp(log[i]) * (up + wide * (log[i] + mean));
      out[chosen.const_data_ptr<std::int64_t>()[row]] += up;
    }
    return {result, Tensor()};
  }
};

Tensor draw_numbers(const Gaussian& gaussian, Random& random) {
  const auto mean = gaussian.mean.detach().contiguous();
  const auto deviation = at::exp(gaussian.log_deviation.detach()).expand_as(mean).contiguous();
  auto drawn = at::empty_like(mean);
  for (std::int64_t i = 0; i < mean.numel(); ++i)
    drawn.mutable_data_ptr<float>()[i] =
        mean.const_data_ptr<float>()[i] + deviation.const_data_ptr<float>()[i] * static_cast<float>(random.normal());
  return drawn;
}

}  // namespace

Tensor draw(const Distribution& distribution, Random& random) {
  if (const auto* choices = std::get_if<Categorical>(&distribution)) return draw_choices(choices->logits, random);
  return draw_numbers(std::get<Gaussian>(distribution), random);
}

Tensor mode(const Distribution& distribution) {
  if (const auto* choices = std::get_if<Categorical>(&distribution)) return at::argmax(choices->logits, -1);
  return std::get<Gaussian>(distribution).mean.detach().contiguous();
}

Judgement judge(const Distribution& distribution, const Tensor& actions) {
  if (const auto* choices = std::get_if<Categorical>(&distribution)) {
    if (choices->logits.is_cpu() && choices->logits.scalar_type() == at::kFloat) {
      const auto both = JudgeChoices::apply(choices->logits, actions);
      return {both[0], both[1]};
    }
    const auto logs = at::log_softmax(choices->logits, -1);
    return {logs.gather(-1, actions.unsqueeze(-1)).squeeze(-1), -(at::exp(logs) * logs).sum(-1)};
  }
  const auto& gaussian = std::get<Gaussian>(distribution);
  const auto distance = (actions - gaussian.mean) * at::exp(-gaussian.log_deviation);
  return {(-0.5 * at::square(distance) - gaussian.log_deviation - log_sqrt_two_pi).sum(-1),
          (gaussian.log_deviation + (0.5 + log_sqrt_two_pi)).expand_as(gaussian.mean).sum(-1)};
}

}  // namespace rlhf::models
