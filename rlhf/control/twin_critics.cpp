#include "rlhf/control/twin_critics.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mse_loss.h>

#include "rlhf/core/seed.h"

namespace rlhf::control {
namespace {

std::string numbered(const char* name, std::size_t i) { return name + std::to_string(i); }

}  // namespace

TwinCritics::TwinCritics(const models::NetworkConfig& config, const std::vector<std::int64_t>& seen,
                         std::int64_t numbers, std::uint64_t seed) {
  for (std::size_t i = 0; i < 2; ++i)
    for (auto* networks : {&critics_, &targets_})
      networks->emplace_back(config, seen, numbers, derive(seed, {hash(numbered("critic", i))}));
}

Tensor TwinCritics::value(int critic, const Tensor& encoded, const Tensor& actions) const {
  return critics_[static_cast<std::size_t>(critic)](encoded, actions);
}

Tensor TwinCritics::least(const Tensor& encoded, const Tensor& actions) const {
  return at::minimum(critics_[0](encoded, actions), critics_[1](encoded, actions));
}

Tensor TwinCritics::least_target(const Tensor& encoded, const Tensor& actions) const {
  return at::minimum(targets_[0](encoded, actions), targets_[1](encoded, actions));
}

Tensor TwinCritics::loss(const Tensor& encoded, const Tensor& actions, const Tensor& wanted) const {
  return at::mse_loss(value(0, encoded, actions), wanted) + at::mse_loss(value(1, encoded, actions), wanted);
}

void TwinCritics::move_targets(double share) {
  for (std::size_t i = 0; i < 2; ++i) targets_[i].follow(critics_[i], share);
}

models::NamedWeights TwinCritics::trained() const {
  models::NamedWeights all;
  for (std::size_t i = 0; i < 2; ++i) add_weights(all, numbered("critic", i) + ".", critics_[i]);
  return all;
}

models::NamedWeights TwinCritics::weights() const {
  auto all = trained();
  for (std::size_t i = 0; i < 2; ++i) add_weights(all, numbered("target", i) + ".", targets_[i]);
  return all;
}

}  // namespace rlhf::control
