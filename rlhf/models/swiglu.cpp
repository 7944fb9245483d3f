#include "rlhf/models/swiglu.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "rlhf/models/detail/kernels.h"

namespace rlhf::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t elements_per_task = 1 << 14;

struct SwiGlu : torch::autograd::Function<SwiGlu> {
  static Tensor forward(AutogradContext* context, const Tensor& gate, const Tensor& up) {
    auto output = at::empty_like(gate);
    const auto *g = gate.const_data_ptr<float>(), *u = up.const_data_ptr<float>();
    auto* y = output.mutable_data_ptr<float>();
    at::parallel_for(0, gate.numel(), elements_per_task, [&](std::int64_t begin, std::int64_t end) {
      kernels::swiglu(g + begin, u + begin, end - begin, y + begin);
    });
    context->save_for_backward({gate, up});
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto upstream = gradients[0].contiguous();
    auto grad_gate = at::empty_like(saved[0]), grad_up = at::empty_like(saved[1]);
    const auto *dy = upstream.const_data_ptr<float>(), *g = saved[0].const_data_ptr<float>(),
               *u = saved[1].const_data_ptr<float>();
    auto *dg = grad_gate.mutable_data_ptr<float>(), *du = grad_up.mutable_data_ptr<float>();
    at::parallel_for(0, upstream.numel(), elements_per_task, [&](std::int64_t begin, std::int64_t end) {
      kernels::swiglu_backward(dy + begin, g + begin, u + begin, end - begin, dg + begin, du + begin);
    });
    return {grad_gate, grad_up};
  }
};

}  // namespace

Tensor swiglu(const Tensor& gate, const Tensor& up) { return SwiGlu::apply(gate, up); }

}  // namespace rlhf::models
