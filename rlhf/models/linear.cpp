#include "rlhf/models/linear.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>

#include "rlhf/models/detail/row_products.h"

namespace rlhf::models {
namespace {

// Above this many rows packing pays for itself and the general product is as fast.
constexpr std::int64_t few_rows = 192;
constexpr std::int64_t columns_per_task = 48, depths_per_task = 256;

bool plain(const Tensor& tensor) { return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous(); }

/// The input of one or more products without gradients. Its panels are made for the first product that wants them.
class DecodingRows {
 public:
  explicit DecodingRows(const Tensor& input) : input_(input) {
    static const bool fast = kernels::row_products_are_fast();
    few_ = fast && input.dim() == 2 && input.size(0) <= few_rows && plain(input);
  }

  Tensor times(const Tensor& weight) {
    if (!few_ || !plain(weight)) return at::linear(input_, weight);
    auto output = at::empty({input_.size(0), weight.size(0)}, at::kFloat);
    into(output, weight);
    return output;
  }

  void times_out(Tensor& output, const Tensor& weight) {
    if (few_ && plain(weight) && plain(output)) into(output, weight);
    else at::mm_out(output, input_, weight.t());
  }

 private:
  void into(Tensor& output, const Tensor& weight) {
    make_panels();
    const auto columns = weight.size(0);
    const auto* w = weight.const_data_ptr<float>();
    auto* y = output.mutable_data_ptr<float>();
    at::parallel_for(0, columns, columns_per_task, [&](std::int64_t begin, std::int64_t end) {
      kernels::row_products(*panels_, w, columns, begin, end, y);
    });
  }

  void make_panels() {
    if (panels_) return;
    panels_.emplace(input_.size(0), input_.size(1));
    const auto* x = input_.const_data_ptr<float>();
    at::parallel_for(0, panels_->depth, depths_per_task, [&](std::int64_t begin, std::int64_t end) {
      kernels::fill_row_panels(*panels_, x, begin, end);
    });
  }

  const Tensor& input_;
  bool few_ = false;
  std::optional<kernels::RowPanels> panels_;
};

}  // namespace

Tensor decoding_product(const Tensor& input, const Tensor& weight) { return DecodingRows(input).times(weight); }

void decoding_product_out(Tensor& output, const Tensor& input, const Tensor& weight) {
  DecodingRows(input).times_out(output, weight);
}

Tensor Linear::apply(const Tensor& input, bool adapters, bool decoding) const {
  DecodingRows rows(input);
  const bool adapted = adapters && lora;
  auto output = decoding ? rows.times(weight) : at::linear(input, weight);
  if (bias.defined()) output.add_(bias);
  if (!adapted) return output;
  const auto update = decoding ? decoding_product(rows.times(lora->down), lora->up) : at::linear(at::linear(input, lora->down), lora->up);
  return output.add_(update, lora->scale);
}

}  // namespace rlhf::models
