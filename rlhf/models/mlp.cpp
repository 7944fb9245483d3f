#include "rlhf/models/mlp.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/bernoulli.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/leaky_relu_backward.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/threshold_backward.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "rlhf/core/seed.h"
#include "rlhf/models/detail/kernels.h"

namespace rlhf::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr double leak = 0.01;

bool plain(const Tensor& values) {
  return values.is_cpu() && values.scalar_type() == at::kFloat && values.is_contiguous();
}

void activate(Tensor& values, Activation activation) {
  switch (activation) {
    case Activation::tanh:
      if (plain(values))
        kernels::tanh_in_place(values.mutable_data_ptr<float>(), values.numel());
      else
        values.tanh_();
      break;
    case Activation::relu:
      values.relu_();
      break;
    case Activation::leaky_relu:
      at::leaky_relu_(values, leak);
      break;
  }
}

/// The gradient before the activation, from the one after it, which may be overwritten, and what the activation gave.
Tensor deactivate(const Tensor& gradient, const Tensor& activated, Activation activation) {
  switch (activation) {
    case Activation::tanh:
      if (plain(gradient) && plain(activated)) {
        kernels::tanh_backward(activated.const_data_ptr<float>(), gradient.numel(), gradient.mutable_data_ptr<float>());
        return gradient;
      }
      return at::tanh_backward(gradient, activated);
    case Activation::relu:
      return at::threshold_backward(gradient, activated, 0);
    case Activation::leaky_relu:
      return at::leaky_relu_backward(gradient, activated, leak, /*self_is_result=*/true);
  }
  return gradient;
}

/// `activated` receives what each hidden layer gave, when there is somebody to read it.
Tensor run_layers(const Tensor& input, const std::vector<Tensor>& layers, Activation activation,
                  variable_list* activated) {
  Tensor values = input;
  for (std::size_t layer = 0; layer < layers.size(); layer += 2) {
    values = at::addmm(layers[layer + 1], values, layers[layer].t());
    if (layer + 2 == layers.size()) break;
    activate(values, activation);
    if (activated) activated->push_back(values);
  }
  return values;
}

/// `layers`: weight and bias of each in turn.
struct Layers : torch::autograd::Function<Layers> {
  static Tensor forward(AutogradContext* context, const Tensor& input, at::TensorList layers, std::int64_t activation) {
    variable_list saved = {input};
    const std::vector<Tensor> all(layers.begin(), layers.end());
    auto output = run_layers(input, all, static_cast<Activation>(activation), &saved);
    for (std::size_t layer = 0; layer < all.size(); layer += 2) saved.push_back(all[layer]);
    context->save_for_backward(std::move(saved));
    context->saved_data["activation"] = activation;
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();  // inputs of each layer, then the weights
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    const std::size_t count = saved.size() / 2;
    variable_list result(1 + 2 * count + 1);
    Tensor gradient = gradients[0];
    for (std::size_t layer = count; layer-- > 0;) {
      const auto &input = saved[layer], &weight = saved[count + layer];
      if (context->needs_input_grad(1 + 2 * layer)) {
        result[1 + 2 * layer] = at::mm(gradient.t(), input);
        result[2 + 2 * layer] = gradient.sum(0);
      }
      if (layer == 0 && !context->needs_input_grad(0)) break;
      gradient = at::mm(gradient, weight);
      if (layer > 0) gradient = deactivate(gradient, input, activation);
    }
    if (context->needs_input_grad(0)) result[0] = gradient;
    return result;
  }
};

}  // namespace

Mlp::Mlp(std::int64_t inputs, const NetworkConfig& config, std::int64_t outputs, double output_gain, std::uint64_t seed)
    : activation_(config.activation) {
  auto widths = config.hidden;
  widths.push_back(outputs);
  for (std::size_t layer = 0; layer < widths.size(); ++layer) {
    const auto key = derive(seed, {layer});
    const bool last = layer + 1 == widths.size();
    auto bias = at::zeros({widths[layer]}, at::kFloat);
    if (config.initial == Initial::orthogonal) {
      weights_.push_back(orthogonal(widths[layer], inputs, last ? output_gain : std::sqrt(2.0), key));
    } else {
      auto weight = at::zeros({widths[layer], inputs}, at::kFloat);
      Random random(key);
      const double bound = 1 / std::sqrt(static_cast<double>(inputs));
      for (const auto& tensor : {weight, bias})
        for (std::int64_t i = 0; i < tensor.numel(); ++i)
          tensor.mutable_data_ptr<float>()[i] = static_cast<float>(bound * (2 * random.uniform() - 1));
      weights_.push_back(weight);
    }
    biases_.push_back(bias);
    inputs = widths[layer];
  }
  for (auto& [name, weight] : weights()) weight.requires_grad_();
}

Tensor Mlp::forward(const Tensor& seen) const {
  const auto encoded = seen.dim() > 2 ? seen.flatten(1) : seen;
  std::vector<Tensor> layers;
  for (std::size_t layer = 0; layer < weights_.size(); ++layer) {
    layers.push_back(weights_[layer]);
    layers.push_back(biases_[layer]);
  }
  if (!at::GradMode::is_enabled()) return run_layers(encoded, layers, activation_, nullptr);
  return Layers::apply(encoded, at::TensorList(layers), static_cast<std::int64_t>(activation_));
}

Tensor Mlp::forward_dropping(const Tensor& encoded, double share, std::uint64_t seed) const {
  auto generator = at::detail::createCPUGenerator(seed);
  Tensor values = encoded.dim() > 2 ? encoded.flatten(1) : encoded;
  for (std::size_t layer = 0; layer < weights_.size(); ++layer) {
    values = at::linear(values, weights_[layer], biases_[layer]);
    if (layer + 1 == weights_.size()) break;
    values = activation_ == Activation::tanh   ? at::tanh(values)
             : activation_ == Activation::relu ? at::relu(values)
                                               : at::leaky_relu(values, leak);
    values = values * at::empty_like(values.detach()).bernoulli_(1 - share, generator).div_(1 - share);
  }
  return values;
}

NamedWeights Mlp::weights() const {
  NamedWeights all;
  for (std::size_t layer = 0; layer < weights_.size(); ++layer) {
    all.emplace_back(std::to_string(layer) + ".weight", weights_[layer]);
    all.emplace_back(std::to_string(layer) + ".bias", biases_[layer]);
  }
  return all;
}

}  // namespace rlhf::models
