#include "rlhf/control/relu_maximum.h"

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <queue>

#include "rlhf/control/linear_program.h"
#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

enum class Phase : std::int8_t { open, on, off };
using Phases = std::vector<std::vector<Phase>>;  // of each unit of each hidden layer

/// A number as a function of the relaxation's variables.
struct Affine {
  double constant = 0;
  std::vector<double> slopes;  // missing ones are 0

  void add(double factor, const Affine& other) {
    constant += factor * other.constant;
    if (slopes.size() < other.slopes.size()) slopes.resize(other.slopes.size(), 0.0);
    for (std::size_t j = 0; j < other.slopes.size(); ++j) slopes[j] += factor * other.slopes[j];
  }
  double at(const std::vector<double>& x) const {
    double sum = constant;
    for (std::size_t j = 0; j < slopes.size(); ++j) sum += slopes[j] * x[j];
    return sum;
  }
};

/// The linear relaxation of a network in which some units' signs are settled.
class Relaxation {
 public:
  struct Unit {
    std::size_t layer, index, variable;
    Affine before;  // what relu is applied to
  };

  Relaxation(const std::vector<ReluLayer>& layers, const std::vector<double>& low, const std::vector<double>& high,
             const Phases& phases) {
    std::vector<Affine> values;
    for (std::size_t k = 0; k < low.size(); ++k) values.push_back(variable(high[k] - low[k], low[k]));
    for (std::size_t layer = 0; layer < layers.size() && !impossible_; ++layer) {
      std::vector<Affine> next;
      for (std::size_t i = 0; i < layers[layer].biases.size(); ++i) {
        Affine sum{.constant = layers[layer].biases[i]};
        for (std::size_t k = 0; k < values.size(); ++k) sum.add(layers[layer].weights[i][k], values[k]);
        next.push_back(layer + 1 == layers.size() ? sum : through_relu(sum, layer, i, phases[layer][i]));
      }
      values = std::move(next);
    }
    if (!impossible_) output_ = values.front();
  }

  std::optional<LinearSolution> solved() {
    if (impossible_) return std::nullopt;
    program_.objective = output_.slopes;
    program_.objective.resize(program_.upper.size(), 0.0);
    for (auto& row : program_.rows) row.resize(program_.upper.size(), 0.0);
    auto found = solve(program_);
    if (found) found->value += output_.constant;
    return found;
  }

  /// The open unit that the solution bends most; null where it bends none.
  const Unit* worst(const std::vector<double>& x) const {
    const Unit* worst = nullptr;
    double most = 1e-9;
    for (const auto& unit : open_) {
      const double bent = std::abs(x[unit.variable] - std::max(0.0, unit.before.at(x)));
      if (bent > most) worst = &unit, most = bent;
    }
    return worst;
  }

 private:
  Affine variable(double upper, double shift = 0.0) {
    program_.upper.push_back(upper);
    Affine one{.constant = shift, .slopes = std::vector<double>(program_.upper.size(), 0.0)};
    one.slopes.back() = 1;
    return one;
  }

  void require_at_most_zero(const Affine& sum) {
    program_.rows.push_back(sum.slopes);
    program_.limits.push_back(-sum.constant);
  }

  Affine through_relu(const Affine& sum, std::size_t layer, std::size_t index, Phase phase) {
    double least = sum.constant, most = sum.constant;
    for (std::size_t j = 0; j < sum.slopes.size(); ++j)
      (sum.slopes[j] < 0 ? least : most) += sum.slopes[j] * program_.upper[j];
    if ((phase == Phase::on && most < 0) || (phase == Phase::off && least > 0)) impossible_ = true;
    if (phase == Phase::on || least >= 0) {
      if (least < 0) {
        Affine negative;
        negative.add(-1, sum);
        require_at_most_zero(negative);
      }
      return sum;
    }
    if (phase == Phase::off || most <= 0) {
      if (most > 0) require_at_most_zero(sum);
      return {};
    }
    const auto z = variable(most);
    Affine above = sum, below = z;
    above.add(-1, z);  // s - z <= 0
    require_at_most_zero(above);
    const double slope = most / (most - least);
    below.add(-slope, sum);  // z - slope (s - l) <= 0
    below.constant += slope * least;
    require_at_most_zero(below);
    open_.push_back({layer, index, program_.upper.size() - 1, sum});
    return z;
  }

  LinearProgram program_;
  std::vector<Unit> open_;
  Affine output_;
  bool impossible_ = false;
};

struct Node {
  double bound;
  Phases phases;
  bool operator<(const Node& other) const { return bound < other.bound; }
};

}  // namespace

std::vector<ReluLayer> layers_of(const models::Network& network, const std::vector<double>& fixed,
                                 std::int64_t most_units) {
  const auto all = network.weights();
  std::vector<ReluLayer> layers;
  std::int64_t units = 0;
  for (std::size_t i = 0; i + 1 < all.size(); i += 2) {
    const auto weight = all[i].second.detach().to(at::kDouble).contiguous(),
               bias = all[i + 1].second.detach().to(at::kDouble).contiguous();
    const auto outputs = static_cast<std::size_t>(weight.size(0)), inputs = static_cast<std::size_t>(weight.size(1));
    const auto* numbers = weight.const_data_ptr<double>();
    const std::size_t known = layers.empty() ? fixed.size() : 0;
    ReluLayer layer;
    for (std::size_t row = 0; row < outputs; ++row, numbers += inputs) {
      double constant = bias.const_data_ptr<double>()[row];
      for (std::size_t k = 0; k < known; ++k) constant += numbers[k] * fixed[k];
      layer.biases.push_back(constant);
      layer.weights.emplace_back(numbers + known, numbers + inputs);
    }
    if (i + 2 < all.size()) units += weight.size(0);
    layers.push_back(std::move(layer));
  }
  if (units > most_units)
    throw Error({.category = Category::usage,
                 .where = "maximiser",
                 .what = fmt::format("an exact maximum over {} hidden units would take too long", units),
                 .fix = fmt::format("Take at most {}, or maximiser = gradient.", most_units)});
  return layers;
}

double value_at(const std::vector<ReluLayer>& layers, const std::vector<double>& inputs) {
  auto values = inputs;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    auto next = layers[layer].biases;
    for (std::size_t i = 0; i < next.size(); ++i) {
      for (std::size_t k = 0; k < values.size(); ++k) next[i] += layers[layer].weights[i][k] * values[k];
      if (layer + 1 < layers.size()) next[i] = std::max(0.0, next[i]);
    }
    values = std::move(next);
  }
  return values.front();
}

ReluMaximum maximum(const std::vector<ReluLayer>& layers, const std::vector<double>& low,
                    const std::vector<double>& high, const ReluMaximumOptions& options) {
  ReluMaximum best{.value = -std::numeric_limits<double>::infinity()};
  Phases open;
  for (std::size_t layer = 0; layer + 1 < layers.size(); ++layer)
    open.emplace_back(layers[layer].biases.size(), Phase::open);
  std::priority_queue<Node> nodes;
  nodes.push({std::numeric_limits<double>::infinity(), open});
  const auto good_enough = [&](double bound) {
    return bound <= best.value + options.tolerance * std::max(1.0, std::abs(best.value));
  };
  while (!nodes.empty() && !good_enough(nodes.top().bound) && best.nodes < options.most_nodes) {
    auto node = nodes.top();
    nodes.pop();
    Relaxation relaxation(layers, low, high, node.phases);
    const auto solved = relaxation.solved();
    if (++best.nodes == 1) best.root_bound = solved->value;
    if (!solved || good_enough(solved->value)) continue;
    std::vector<double> inputs;
    for (std::size_t k = 0; k < low.size(); ++k) inputs.push_back(std::clamp(low[k] + solved->x[k], low[k], high[k]));
    if (const double value = value_at(layers, inputs); value > best.value) best.value = value, best.inputs = inputs;
    const auto* unit = relaxation.worst(solved->x);
    if (!unit) continue;  // the relaxation is the network here
    for (const auto phase : {Phase::on, Phase::off}) {
      node.phases[unit->layer][unit->index] = phase;
      nodes.push({solved->value, node.phases});
    }
  }
  best.bound = nodes.empty() ? best.value : std::max(best.value, nodes.top().bound);
  best.proven = good_enough(best.bound);
  return best;
}

}  // namespace rlhf::control
