#include "rlhf/models/action_value.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/tanh.h>

#include <functional>
#include <numeric>

#include "rlhf/core/seed.h"

namespace rlhf::models {
namespace {

constexpr std::int64_t features = 50;

}  // namespace

ActionValue::ActionValue(const NetworkConfig& config, const std::vector<std::int64_t>& seen, std::int64_t numbers,
                         std::uint64_t seed) {
  auto inputs = std::accumulate(seen.begin(), seen.end(), std::int64_t{1}, std::multiplies<>());
  auto joined = config;
  if (config.architecture != Architecture::mlp) {
    eyes_ = make_network(config, seen, features, 1.0, derive(seed, {hash("eyes")}));
    joined.architecture = Architecture::mlp;
    inputs = features;
  }
  value_ = make_network(joined, {inputs + numbers}, 1, 1.0, seed);
}

Tensor ActionValue::operator()(const Tensor& encoded, const Tensor& actions) const {
  const auto seen = eyes_ ? at::tanh(at::layer_norm(eyes_->forward(encoded), {features})) : encoded.flatten(1);
  return value_->forward(at::cat({seen, actions}, 1)).squeeze(1);
}

void ActionValue::follow(const ActionValue& leader, double share) {
  if (eyes_) copy_weights(*leader.eyes_, *eyes_, share);
  copy_weights(*leader.value_, *value_, share);
}

NamedWeights ActionValue::weights() const {
  auto all = value_->weights();
  if (eyes_)
    for (const auto& [name, weight] : eyes_->weights()) all.emplace_back("eyes." + name, weight);
  return all;
}

}  // namespace rlhf::models
