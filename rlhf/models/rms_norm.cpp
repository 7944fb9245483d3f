#include "rlhf/models/rms_norm.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "rlhf/models/detail/kernels.h"

namespace rlhf::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t rows_per_task = 16;

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& weight, double eps) {
    const auto width = input.size(-1), rows = input.numel() / width;
    auto output = at::empty_like(input);
    auto scales = at::empty({rows}, at::kFloat);
    const auto* x = input.const_data_ptr<float>();
    const auto* w = weight.const_data_ptr<float>();
    auto* y = output.mutable_data_ptr<float>();
    auto* r = scales.mutable_data_ptr<float>();
    at::parallel_for(0, rows, rows_per_task, [&](std::int64_t begin, std::int64_t end) {
      kernels::rms_norm(x + begin * width, w, static_cast<float>(eps), end - begin, width, y + begin * width, r + begin);
    });
    context->save_for_backward({input, weight, scales});
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &input = saved[0], &weight = saved[1], &scales = saved[2];
    const auto upstream = gradients[0].contiguous();
    const auto width = input.size(-1), rows = input.numel() / width;
    const bool train_weight = context->needs_input_grad(1);
    auto grad_input = at::empty_like(input);
    // One row of partial sums a task, added up in order: the same bits whichever thread ran it.
    const auto tasks = (rows + rows_per_task - 1) / rows_per_task;
    auto partial = train_weight ? at::zeros({tasks, width}, at::kFloat) : Tensor();
    const auto* dy = upstream.const_data_ptr<float>();
    const auto* x = input.const_data_ptr<float>();
    const auto* w = weight.const_data_ptr<float>();
    const auto* r = scales.const_data_ptr<float>();
    auto* dx = grad_input.mutable_data_ptr<float>();
    auto* dw = train_weight ? partial.mutable_data_ptr<float>() : nullptr;
    at::parallel_for(0, tasks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto task = begin; task < end; ++task) {
        const auto first = task * rows_per_task, count = std::min(rows_per_task, rows - first);
        kernels::rms_norm_backward(dy + first * width, x + first * width, w, r + first, count, width, dx + first * width,
                                   dw == nullptr ? nullptr : dw + task * width);
      }
    });
    return {grad_input, train_weight ? partial.sum(0) : Tensor(), Tensor()};
  }
};

}  // namespace

Tensor rms_norm(const Tensor& input, const Tensor& weight, double eps) { return RmsNorm::apply(input, weight, eps); }

}  // namespace rlhf::models
