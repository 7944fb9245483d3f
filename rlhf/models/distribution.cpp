#include "rlhf/models/distribution.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/square.h>

#include <cmath>
#include <numbers>

namespace rlhf::models {
namespace {

const double log_sqrt_two_pi = 0.5 * std::log(2 * std::numbers::pi);

Tensor draw_choices(const Tensor& logits, Random& random) {
  const auto chances = at::softmax(logits.detach(), -1).contiguous();
  const auto rows = chances.size(0), choices = chances.size(1);
  auto drawn = at::empty({rows}, at::kLong);
  const auto* chance = chances.const_data_ptr<float>();
  auto* choice = drawn.mutable_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < rows; ++row, chance += choices) {
    double left = random.uniform();
    std::int64_t picked = choices - 1;  // where rounding leaves a little over
    for (std::int64_t i = 0; i < choices - 1; ++i)
      if ((left -= chance[i]) < 0) {
        picked = i;
        break;
      }
    choice[row] = picked;
  }
  return drawn;
}

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

Tensor logprobs(const Distribution& distribution, const Tensor& actions) {
  if (const auto* choices = std::get_if<Categorical>(&distribution))
    return at::log_softmax(choices->logits, -1).gather(-1, actions.unsqueeze(-1)).squeeze(-1);
  const auto& gaussian = std::get<Gaussian>(distribution);
  const auto distance = (actions - gaussian.mean) * at::exp(-gaussian.log_deviation);
  return (-0.5 * at::square(distance) - gaussian.log_deviation - log_sqrt_two_pi).sum(-1);
}

Tensor entropy(const Distribution& distribution) {
  if (const auto* choices = std::get_if<Categorical>(&distribution)) {
    const auto logs = at::log_softmax(choices->logits, -1);
    return -(at::exp(logs) * logs).sum(-1);
  }
  const auto& gaussian = std::get<Gaussian>(distribution);
  return (gaussian.log_deviation + (0.5 + log_sqrt_two_pi)).expand_as(gaussian.mean).sum(-1);
}

}  // namespace rlhf::models
