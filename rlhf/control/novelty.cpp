#include "rlhf/control/novelty.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/kthvalue.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace rlhf::control {
namespace {

Tensor rows_of(const Tensor& observations) { return observations.flatten(1).to(at::kFloat); }

}  // namespace

Tensor Novelty::scaled(const Tensor& observations) const { return observations / deviation_; }

void Novelty::remember(const Tensor& observations) {
  const at::NoGradGuard no_gradient;
  auto all = states_.defined() ? at::cat({states_, rows_of(observations)}) : rows_of(observations);
  states_ = all.narrow(0, std::max<std::int64_t>(0, all.size(0) - kept_), std::min(all.size(0), kept_)).clone();
  deviation_ = states_.std(0, /*unbiased=*/false).clamp_min(1e-6);
  ++version_;
}

Tensor Novelty::rewards(const Tensor& observations) const {
  const at::NoGradGuard no_gradient;
  if (!states_.defined() || states_.size(0) < neighbour_) return at::zeros({observations.size(0)}, at::kFloat);
  const auto distances = at::cdist(scaled(rows_of(observations)), scaled(states_));
  return std::get<0>(at::kthvalue(distances, neighbour_, 1)).log1p();
}

void Novelty::save(State& state, const std::string& prefix) const {
  if (states_.defined()) state.tensors[prefix + ".states"] = states_;
  state.values[prefix + ".version"] = version_;
}

void Novelty::restore(const State& state, const std::string& prefix) {
  version_ = state.values.at(prefix + ".version");
  const auto found = state.tensors.find(prefix + ".states");
  if (found == state.tensors.end()) return;
  states_ = found->second.clone();
  deviation_ = states_.std(0, /*unbiased=*/false).clamp_min(1e-6);
}

}  // namespace rlhf::control
