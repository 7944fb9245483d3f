#include "rlhf/algorithms/rms_prop.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sqrt.h>

#include "rlhf/core/error.h"
#include "rlhf/core/require.h"

namespace rlhf::algorithms {

void RmsPropConfig::fields(Fields& f) {
  f.field("decay", decay, "of the mean squared gradient");
  f.field("epsilon", epsilon, "added to the mean squared gradient, inside its root");
  f.field("max_grad_norm", max_grad_norm, "gradients are scaled down to this norm; 0 = never");
}

void RmsPropConfig::validate() const {
  require_setting(decay >= 0 && decay < 1, "decay", "Give a number from 0 to below 1.");
  require_setting(epsilon > 0, "epsilon", "Give a positive number.");
  require_setting(max_grad_norm >= 0, "max_grad_norm", "Give 0 or more.");
}

RmsProp::RmsProp(NamedParameters parameters, const RmsPropConfig& config)
    : parameters_(std::move(parameters)), config_(config) {
  config.validate();
  if (parameters_.empty())
    throw Error({.category = Category::usage,
                 .where = "optimizer",
                 .what = "there is no parameter to train",
                 .fix = "Give it weights."});
  for (const auto& [name, parameter] : parameters_) squares_.push_back(at::ones_like(parameter.detach()));
}

double RmsProp::step(double learning_rate) {
  const at::NoGradGuard no_gradient;
  const double norm = gradient_norm(parameters_);
  const double scale =
      config_.max_grad_norm > 0 && norm > config_.max_grad_norm ? config_.max_grad_norm / (norm + 1e-6) : 1;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    auto& parameter = parameters_[i].second;
    if (!parameter.grad().defined()) continue;
    const auto gradient = parameter.grad() * scale;
    squares_[i].mul_(config_.decay).addcmul_(gradient, gradient, 1 - config_.decay);
    parameter.addcdiv_(gradient, at::sqrt(squares_[i] + config_.epsilon), -learning_rate);
  }
  ++steps_;
  return norm;
}

void RmsProp::zero_grad() {
  for (auto& [name, parameter] : parameters_) parameter.mutable_grad().reset();
}

void RmsProp::save(State& state, const std::string& prefix) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    state.tensors[prefix + ".squares." + parameters_[i].first] = squares_[i];
  state.values[prefix + ".steps"] = steps_;
}

void RmsProp::restore(const State& state, const std::string& prefix) {
  const at::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    squares_[i].copy_(state.tensors.at(prefix + ".squares." + parameters_[i].first));
  steps_ = state.values.at(prefix + ".steps").get<std::int64_t>();
}

}  // namespace rlhf::algorithms
