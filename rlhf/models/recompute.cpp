#include "rlhf/models/recompute.h"

#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

namespace rlhf::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Layer = std::function<Tensor(const Tensor&)>;

struct KeptLayer : torch::CustomClassHolder {
  explicit KeptLayer(Layer kept) : layer(std::move(kept)) {}
  Layer layer;
};

struct Recompute : torch::autograd::Function<Recompute> {
  /// `anchor` requires gradients, so that the layer is reached even when its input does not (frozen embeddings).
  static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& anchor, const Layer* layer) {
    context->save_for_backward({input});
    context->saved_data["layer"] = c10::IValue::make_capsule(c10::make_intrusive<KeptLayer>(*layer));
    return (*layer)(input);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto kept = context->saved_data["layer"].toCapsule();
    auto input = context->get_saved_variables()[0].detach();
    input.requires_grad_(context->needs_input_grad(0));
    {
      at::AutoGradMode enabled(true);
      torch::autograd::backward({static_cast<const KeptLayer&>(*kept).layer(input)}, {gradients[0]});
    }
    return {input.grad(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor recompute(const Layer& layer, const Tensor& input) {
  if (!at::GradMode::is_enabled()) return layer(input);
  return Recompute::apply(input, at::zeros({}).requires_grad_(true), &layer);
}

}  // namespace rlhf::models
