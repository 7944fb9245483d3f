#pragma once
#include <cstdint>
#include <vector>

#include "rlhf/models/network.h"

namespace rlhf::control {

/// One layer: values = weights . inputs + biases, with relu after every layer but the last.
struct ReluLayer {
  std::vector<std::vector<double>> weights;  // [outputs][inputs]
  std::vector<double> biases;                // [outputs]
};

/// The layers of a fully connected network with relu, as a function of its last inputs alone: the first are `fixed`.
/// Throws rlhf::Error (usage) where there are more hidden units than `most_units`.
std::vector<ReluLayer> layers_of(const models::Network& network, const std::vector<double>& fixed,
                                 std::int64_t most_units = 128);

double value_at(const std::vector<ReluLayer>& layers, const std::vector<double>& inputs);

struct ReluMaximum {
  std::vector<double> inputs;
  double value = 0.0;       // there
  double bound = 0.0;       // no input gives more than this
  double root_bound = 0.0;  // what the linear relaxation alone says; >= bound
  std::int64_t nodes = 0;   // relaxations that were solved
  bool proven = false;      // bound - value is within the tolerance
};

struct ReluMaximumOptions {
  double tolerance = 1e-6;          // of the value, relative to its size where that is more than 1
  std::int64_t most_nodes = 20000;  // then the best so far is returned, unproven
};

/// The largest value of a network with one output over the box `low` <= inputs <= `high`, exactly: the mixed-integer
/// programme of Ryu et al. 2020 (arXiv:1909.12397, section 3.1) by branch and bound. Each unit whose sign the box
/// leaves open is a binary variable; its relaxation z >= 0, z >= s, z <= u (s - l) / (u - l) is the convex hull that
/// the big-M form has with these bounds l <= s <= u, which are made anew in every node.
/// A search of our own: GLPK is under the GPL, and programmes of this size need no solver that one installs.
ReluMaximum maximum(const std::vector<ReluLayer>& layers, const std::vector<double>& low,
                    const std::vector<double>& high, const ReluMaximumOptions& options = {});

}  // namespace rlhf::control
