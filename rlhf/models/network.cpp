#include "rlhf/models/network.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/sign.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <numeric>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/models/convolutional.h"
#include "rlhf/models/mlp.h"

namespace rlhf::models {

void NetworkConfig::fields(Fields& f) {
  f.choice("architecture", architecture,
           {{"mlp", Architecture::mlp},
            {"nature", Architecture::nature},
            {"impala", Architecture::impala},
            {"narrow", Architecture::narrow}},
           "fully connected, or for pictures the convolutions of Mnih et al. 2015, Espeholt et al. 2018, or the reward "
           "model's of Christiano et al. 2017");
  f.field("hidden", hidden, "widths of the hidden layers of an mlp");
  f.choice("activation", activation,
           {{"tanh", Activation::tanh}, {"relu", Activation::relu}, {"leaky_relu", Activation::leaky_relu}},
           "between the layers of an mlp");
  f.choice("initial", initial, {{"orthogonal", Initial::orthogonal}, {"uniform", Initial::uniform}}, "first weights");
}

void NetworkConfig::validate() const {
  for (const auto width : hidden)
    if (width < 1)
      throw Error({.category = Category::usage,
                   .where = "hidden",
                   .what = fmt::format("a layer of {} units", width),
                   .fix = "Give widths from 1 up: 64, 64."});
}

Tensor Network::forward_dropping(const Tensor&, double, std::uint64_t) const {
  throw Error({.category = Category::usage,
               .where = "dropout",
               .what = "residual convolutions leave no units out",
               .fix = "Set dropout = 0, or take another architecture."});
}

std::unique_ptr<Network> make_network(const NetworkConfig& config, const std::vector<std::int64_t>& seen,
                                      std::int64_t outputs, double output_gain, std::uint64_t seed) {
  if (config.architecture == Architecture::mlp) {
    const auto inputs = std::accumulate(seen.begin(), seen.end(), std::int64_t{1}, std::multiplies<>());
    return std::make_unique<Mlp>(inputs, config, outputs, output_gain, seed);
  }
  if (seen.size() != 3)
    throw Error({.category = Category::usage,
                 .where = "architecture",
                 .what = fmt::format("convolutions read pictures; what is seen has shape [{}]", fmt::join(seen, ", ")),
                 .fix = "Take architecture = mlp."});
  return make_convolutional(config.architecture, seen, outputs, output_gain, seed);
}

void copy_weights(const Network& source, const Network& target, double share) {
  const at::NoGradGuard no_gradient;
  const auto from = source.weights(), to = target.weights();
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (share == 1.0)
      to[i].second.copy_(from[i].second);
    else
      to[i].second.lerp_(from[i].second, share);
  }
}

Tensor orthogonal(std::int64_t outputs, std::int64_t inputs, double gain, std::uint64_t seed) {
  const auto longer = std::max(outputs, inputs), shorter = std::min(outputs, inputs);
  auto normal = at::empty({longer, shorter}, at::kDouble);
  Random random(seed);
  for (std::int64_t i = 0; i < normal.numel(); ++i) normal.mutable_data_ptr<double>()[i] = random.normal();
  auto [q, r] = at::linalg_qr(normal);
  q = q * at::sign(r.diagonal());  // makes the decomposition unique, and the draw uniform
  if (outputs < inputs) q = q.t();
  return (q * gain).to(at::kFloat).contiguous();
}

}  // namespace rlhf::models
