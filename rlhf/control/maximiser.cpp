#include "rlhf/control/maximiser.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include "rlhf/control/relu_maximum.h"
#include "rlhf/core/require.h"

namespace rlhf::control {

void MaximiserConfig::fields(Fields& f) {
  f.choice("kind", kind,
           {{"candidates", Maximiser::candidates},
            {"gradient", Maximiser::gradient},
            {"cross_entropy", Maximiser::cross_entropy},
            {"exact", Maximiser::exact}},
           "how the best action is looked for; exact: a mixed-integer programme, for small networks");
  f.field("candidates", candidates, "actions drawn; of cross_entropy, each time");
  f.field("starts", starts, "of gradient");
  f.field("steps", steps, "of gradient");
  f.field("step_size", step_size, "of gradient, the first step's length in half-widths of the actions' box");
  f.field("elites", elites, "of cross_entropy, the best draws that the next ones follow");
  f.field("iterations", iterations, "of cross_entropy");
  f.field("most_units", most_units, "of exact: hidden units above which it refuses");
  f.field("most_nodes", most_nodes, "of exact: relaxations for a state; then it takes the best so far");
}

void MaximiserConfig::validate() const {
  require_setting(candidates >= 1, "candidates", "Draw 1 or more.");
  require_setting(starts >= 1, "starts", "Give 1 or more.");
  require_setting(steps >= 1, "steps", "Give 1 or more.");
  require_setting(step_size > 0, "step_size", "Give a positive number.");
  require_setting(elites >= 2 && elites <= candidates, "elites", "Give 2 or more, at most candidates.");
  require_setting(iterations >= 1, "iterations", "Give 1 or more.");
  require_setting(most_nodes >= 1, "most_nodes", "Give 1 or more.");
}

namespace {

/// Several actions for each row, and which is the best.
struct Tried {
  Tensor actions, values;  // [rows, tried, numbers], [rows, tried]

  Maxima best() const {
    const auto [most, at] = values.max(1);
    return {actions.gather(1, at.view({-1, 1, 1}).expand({-1, 1, actions.size(2)})).squeeze(1), most};
  }
};

/// [rows, tried]
Tensor values_of(const models::Network& network, const Tensor& encoded, const Tensor& actions) {
  const auto tried = actions.size(1);
  const auto seen = encoded.flatten(1).unsqueeze(1).expand({-1, tried, -1});
  return network.forward(at::cat({seen, actions}, 2).flatten(0, 1)).view({-1, tried});
}

Tensor uniform(std::vector<std::int64_t> shape, Random& random) {
  auto drawn = at::empty(shape, at::kFloat);
  for (std::int64_t i = 0; i < drawn.numel(); ++i)
    drawn.mutable_data_ptr<float>()[i] = static_cast<float>(2 * random.uniform() - 1);
  return drawn;
}

/// Steps of one length along the gradient, whatever its size, back into the box; the best of all points passed counts.
Tried uphill(const models::Network& network, const Tensor& encoded, Tensor actions, const MaximiserConfig& config) {
  Tried best{actions, values_of(network, encoded, actions)};
  for (std::int64_t step = 0; step < config.steps; ++step) {
    Tensor slope;
    {
      const at::AutoGradMode gradients(true);
      const auto from = actions.detach().requires_grad_();
      slope = torch::autograd::grad({values_of(network, encoded.detach(), from).sum()}, {from}).at(0);
    }
    const double length =
        config.step_size * static_cast<double>(config.steps - step) / static_cast<double>(config.steps);
    const auto size = slope.norm(2, {2}, /*keepdim=*/true).clamp_min(1e-12);
    actions = (actions + length * slope / size).clamp(-1, 1);
    const auto values = values_of(network, encoded, actions), better = values > best.values;
    best = {at::where(better.unsqueeze(2), actions, best.actions), at::maximum(values, best.values)};
  }
  return best;
}

Tried cross_entropy(const models::Network& network, const Tensor& encoded, std::int64_t numbers,
                    const MaximiserConfig& config, Random& random) {
  const auto rows = encoded.size(0);
  auto mean = at::zeros({rows, 1, numbers}, at::kFloat), spread = at::ones({rows, 1, numbers}, at::kFloat);
  std::vector<Tensor> actions, values;
  for (std::int64_t i = 0; i < config.iterations; ++i) {
    auto noise = at::empty({rows, config.candidates, numbers}, at::kFloat);
    for (std::int64_t k = 0; k < noise.numel(); ++k)
      noise.mutable_data_ptr<float>()[k] = static_cast<float>(random.normal());
    actions.push_back((mean + spread * noise).clamp(-1, 1));
    values.push_back(values_of(network, encoded, actions.back()));
    const auto places = std::get<1>(at::topk(values.back(), config.elites, 1));
    const auto elite = actions.back().gather(1, places.unsqueeze(2).expand({-1, -1, numbers}));
    mean = elite.mean({1}, /*keepdim=*/true);
    spread = elite.std({1}, /*unbiased=*/false, /*keepdim=*/true).clamp_min(1e-4);
  }
  return {at::cat(actions, 1), at::cat(values, 1)};
}

Maxima exact(const models::Network& network, const Tensor& encoded, std::int64_t numbers,
             const MaximiserConfig& config) {
  const auto seen = encoded.flatten(1).to(at::kDouble).contiguous();
  auto actions = at::empty({seen.size(0), 1, numbers}, at::kFloat);
  std::int64_t unproven = 0;
  const std::vector<double> low(static_cast<std::size_t>(numbers), -1), high(static_cast<std::size_t>(numbers), 1);
  for (std::int64_t row = 0; row < seen.size(0); ++row) {
    const auto* first = seen.const_data_ptr<double>() + row * seen.size(1);
    const auto layers = layers_of(network, std::vector<double>(first, first + seen.size(1)), config.most_units);
    const auto found = maximum(layers, low, high, {.most_nodes = config.most_nodes});
    unproven += !found.proven;
    for (std::int64_t k = 0; k < numbers; ++k)
      actions.mutable_data_ptr<float>()[row * numbers + k] =
          static_cast<float>(found.inputs[static_cast<std::size_t>(k)]);
  }
  auto maxima = Tried{actions, values_of(network, encoded, actions)}.best();
  maxima.unproven = unproven;
  return maxima;
}

}  // namespace

Maxima maximise(const models::Network& network, const Tensor& encoded, std::int64_t numbers,
                const MaximiserConfig& config, Random& random) {
  const at::NoGradGuard no_gradient;
  const auto rows = encoded.size(0);
  switch (config.kind) {
    case Maximiser::candidates: {
      const auto actions = uniform({rows, config.candidates, numbers}, random);
      return Tried{actions, values_of(network, encoded, actions)}.best();
    }
    case Maximiser::gradient:
      return uphill(network, encoded, uniform({rows, config.starts, numbers}, random), config).best();
    case Maximiser::cross_entropy:
      return cross_entropy(network, encoded, numbers, config, random).best();
    case Maximiser::exact:
      return exact(network, encoded, numbers, config);
  }
  return {};
}

}  // namespace rlhf::control
