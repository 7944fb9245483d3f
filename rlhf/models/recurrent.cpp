#include "rlhf/models/recurrent.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::models {

void RecurrentConfig::fields(Fields& f) {
  f.field("width", width, "of the layer before the memory, and of the memory");
  f.field("log_deviation", log_deviation, "natural logarithm of the actions' spread at the start, for numbers");
  f.field("seed", seed, "of the first weights");
}

void RecurrentConfig::validate() const {
  if (width < 1)
    throw Error({.category = Category::usage, .where = "width", .what = "out of range", .fix = "Give 1 or more units."});
}

RecurrentActorCritic::RecurrentActorCritic(const environments::Spec& spec, const RecurrentConfig& config)
    : config_(config), encoder_(spec), head_(spec, config.log_deviation) {
  config.validate();
  std::int64_t seen = 1;
  for (const auto side : encoder_.shape()) seen *= side;
  const auto add = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs, double gain, bool bias) {
    weights_.emplace_back(name + ".weight", orthogonal(outputs, inputs, gain, derive(config.seed, {hash(name)})));
    if (bias) weights_.emplace_back(name + ".bias", at::zeros({outputs}, at::kFloat));
  };
  const auto width = config.width;
  add("embed", width, seen, std::sqrt(2.0), true);
  add("input", 4 * width, width, 1.0, true);
  add("hidden", 4 * width, width, 1.0, false);
  add("policy", head_.outputs(), width, 0.01, true);
  add("value", 1, width, 1.0, true);
  for (auto& [name, weight] : weights_) weight.requires_grad_();
}

Tensor RecurrentActorCritic::gates(const Tensor& encoded) const {
  const auto embedded = at::tanh(at::linear(encoded.flatten(1), weights_[0].second, weights_[1].second));
  return at::linear(embedded, weights_[2].second, weights_[3].second);
}

/// Gates in this order: input, forget, output, candidate.
Tensor RecurrentActorCritic::remember(const Tensor& gates, const Tensor& memory) const {
  const auto width = config_.width;
  const auto all = gates + at::linear(memory.narrow(1, 0, width), weights_[4].second);
  const auto open = at::sigmoid(all.narrow(1, 0, 3 * width));
  const auto cell = open.narrow(1, width, width) * memory.narrow(1, width, width) +
                    open.narrow(1, 0, width) * at::tanh(all.narrow(1, 3 * width, width));
  return at::cat({open.narrow(1, 2 * width, width) * at::tanh(cell), cell}, 1);
}

ActorCritic::Judged RecurrentActorCritic::judge(const Tensor& hidden) const {
  return {head_.distribution(at::linear(hidden, weights_[5].second, weights_[6].second)),
          at::linear(hidden, weights_[7].second, weights_[8].second).squeeze(1)};
}

RecurrentActorCritic::Step RecurrentActorCritic::step(const Tensor& encoded, const Tensor& memory) const {
  auto next = remember(gates(encoded), memory);
  return {judge(next.narrow(1, 0, config_.width)), next};
}

ActorCritic::Judged RecurrentActorCritic::unroll(const Tensor& encoded, const Tensor& begins,
                                                 const Tensor& memory) const {
  const auto rows = encoded.size(0), steps = encoded.size(1);
  const auto seen = gates(encoded.flatten(0, 1)).view({rows, steps, -1});
  const auto goes_on = (1 - begins).unsqueeze(2);  // [rows, steps, 1]
  std::vector<Tensor> hidden;
  auto now = memory;
  for (std::int64_t t = 0; t < steps; ++t) {
    now = remember(seen.select(1, t), now * goes_on.select(1, t));
    hidden.push_back(now.narrow(1, 0, config_.width));
  }
  return judge(at::stack(hidden, 1).flatten(0, 1));
}

Tensor RecurrentActorCritic::first_memory(std::int64_t rows) const {
  return at::zeros({rows, 2 * config_.width}, at::kFloat);
}

NamedWeights RecurrentActorCritic::weights() const {
  auto all = weights_;
  head_.add_weights(all);
  return all;
}

}  // namespace rlhf::models
