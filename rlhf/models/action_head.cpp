#include "rlhf/models/action_head.h"

#include <ATen/ops/full.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/tensor.h>

namespace rlhf::models {
namespace {

Tensor bounds(const std::vector<double>& given, std::int64_t numbers) {
  if (given.size() == 1) return at::full({numbers}, given[0], at::kFloat);
  return at::tensor(given, at::kFloat);
}

}  // namespace

ActionHead::ActionHead(const environments::Spec& spec, double log_deviation) {
  if (const auto* choices = std::get_if<environments::Discrete>(&spec.action)) {
    outputs_ = std::ssize(choices->choices);
    return;
  }
  const auto& box = std::get<environments::Box>(spec.action);
  outputs_ = 1;
  for (const auto side : box.shape) outputs_ *= side;
  log_deviation_ = at::full({outputs_}, log_deviation, at::kFloat).requires_grad_();
  low_ = bounds(box.low, outputs_);
  high_ = bounds(box.high, outputs_);
}

Distribution ActionHead::distribution(const Tensor& outputs) const {
  if (log_deviation_.defined()) return Gaussian{outputs, log_deviation_};
  return Categorical{outputs};
}

Tensor ActionHead::within_bounds(const Tensor& actions) const {
  if (!low_.defined()) return actions;
  return at::maximum(at::minimum(actions, high_), low_);
}

void ActionHead::add_weights(NamedWeights& all) const {
  if (log_deviation_.defined()) all.emplace_back("log_deviation", log_deviation_);
}

}  // namespace rlhf::models
