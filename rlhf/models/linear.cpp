#include "rlhf/models/linear.h"

#include <ATen/ops/linear.h>

namespace rlhf::models {

Tensor Linear::apply(const Tensor& input, bool adapters) const {
  auto output = bias.defined() ? at::linear(input, weight, bias) : at::linear(input, weight);
  if (adapters && lora) {
    output.add_(at::linear(at::linear(input, lora->down), lora->up), lora->scale);
  }
  return output;
}

}  // namespace rlhf::models
