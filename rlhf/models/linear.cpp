#include "rlhf/models/linear.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

#include "rlhf/models/detail/row_products.h"

namespace rlhf::models {
namespace {

// Above this many rows packing pays for itself and the general product is as fast.
constexpr std::int64_t few_rows = 160;

bool suits_row_products(const Tensor& input, const Tensor& weight) {
  static const bool fast = kernels::row_products_are_fast();
  return fast && input.dim() == 2 && input.size(0) <= few_rows && input.is_cpu() &&
         input.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat && input.is_contiguous() &&
         weight.is_contiguous();
}

}  // namespace

Tensor decoding_product(const Tensor& input, const Tensor& weight) {
  if (!suits_row_products(input, weight)) return at::linear(input, weight);
  const auto rows = input.size(0), columns = weight.size(0), depth = weight.size(1);
  auto output = at::empty({rows, columns}, at::kFloat);
  const auto panels = kernels::make_row_panels(input.const_data_ptr<float>(), rows, depth);
  const auto* w = weight.const_data_ptr<float>();
  auto* y = output.mutable_data_ptr<float>();
  at::parallel_for(0, columns, 48, [&](std::int64_t begin, std::int64_t end) {
    kernels::row_products(panels, w, columns, begin, end, y);
  });
  return output;
}

Tensor Linear::apply(const Tensor& input, bool adapters, bool decoding) const {
  const auto product = [decoding](const Tensor& rows, const Tensor& matrix) {
    return decoding ? decoding_product(rows, matrix) : at::linear(rows, matrix);
  };
  auto output = product(input, weight);
  if (bias.defined()) output.add_(bias);
  if (adapters && lora) output.add_(product(product(input, lora->down), lora->up), lora->scale);
  return output;
}

}  // namespace rlhf::models
