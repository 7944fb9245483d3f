#include "rlhf/control/twin_critics.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mse_loss.h>

#include "rlhf/core/seed.h"

namespace rlhf::control {
namespace {

Tensor value_of(const models::Network& network, const Tensor& encoded, const Tensor& actions) {
  return network.forward(at::cat({encoded.flatten(1), actions}, 1)).squeeze(1);
}

std::string numbered(const char* name, int i) { return name + std::to_string(i); }

}  // namespace

TwinCritics::TwinCritics(const models::NetworkConfig& config, const std::vector<std::int64_t>& seen,
                         std::int64_t numbers, std::uint64_t seed) {
  std::int64_t inputs = 1;
  for (const auto side : seen) inputs *= side;
  for (int i = 0; i < 2; ++i)
    for (auto* network : {&critics_[i], &targets_[i]})
      *network = models::make_network(config, {inputs + numbers}, 1, 1.0, derive(seed, {hash(numbered("critic", i))}));
}

Tensor TwinCritics::value(int critic, const Tensor& encoded, const Tensor& actions) const {
  return value_of(*critics_[critic], encoded, actions);
}

Tensor TwinCritics::least(const Tensor& encoded, const Tensor& actions) const {
  return at::minimum(value(0, encoded, actions), value(1, encoded, actions));
}

Tensor TwinCritics::least_target(const Tensor& encoded, const Tensor& actions) const {
  return at::minimum(value_of(*targets_[0], encoded, actions), value_of(*targets_[1], encoded, actions));
}

Tensor TwinCritics::loss(const Tensor& encoded, const Tensor& actions, const Tensor& wanted) const {
  return at::mse_loss(value(0, encoded, actions), wanted) + at::mse_loss(value(1, encoded, actions), wanted);
}

void TwinCritics::move_targets(double share) {
  for (int i = 0; i < 2; ++i) models::copy_weights(*critics_[i], *targets_[i], share);
}

models::NamedWeights TwinCritics::trained() const {
  models::NamedWeights all;
  for (int i = 0; i < 2; ++i) add_weights(all, numbered("critic", i) + ".", *critics_[i]);
  return all;
}

models::NamedWeights TwinCritics::weights() const {
  auto all = trained();
  for (int i = 0; i < 2; ++i) add_weights(all, numbered("target", i) + ".", *targets_[i]);
  return all;
}

void add_weights(models::NamedWeights& all, const std::string& prefix, const models::Network& network) {
  for (const auto& [name, weight] : network.weights()) all.emplace_back(prefix + name, weight);
}

}  // namespace rlhf::control
