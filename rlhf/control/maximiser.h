#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/core/seed.h"
#include "rlhf/models/network.h"

namespace rlhf::control {

/// How the best of infinitely many actions is looked for.
enum class Maximiser {
  candidates,     // the best of a few drawn at random
  gradient,       // uphill from several of them
  cross_entropy,  // a normal distribution that moves to its best draws (Rubinstein 1999)
  exact,          // mixed-integer programme; small networks with relu only
};

struct MaximiserConfig {
  Maximiser kind = Maximiser::gradient;
  std::int64_t candidates = 64;   // drawn; of cross_entropy, each time
  std::int64_t starts = 10;       // of gradient
  std::int64_t steps = 20;        // of gradient
  double step_size = 0.1;         // length of its first step, in half-widths of the box; falls to 0 in a straight line
  std::int64_t elites = 6;        // of cross_entropy, the best draws that the next ones follow
  std::int64_t iterations = 4;    // of cross_entropy
  std::int64_t most_units = 128;  // of exact
  std::int64_t most_nodes = 20000;  // of exact: relaxations for a row, then the best so far is taken

  void fields(Fields& f);
  void validate() const;
};

struct Maxima {
  Tensor actions;             // [rows, numbers] within ±1
  Tensor values;              // [rows] of the network there
  std::int64_t unproven = 0;  // of `exact`: rows whose best so far was taken when the search had grown too long
};

/// For each row of what is seen, the action within ±1 that gives the network its largest value; no gradient. The
/// network reads [encoded, action] side by side and has one output. Throws rlhf::Error (usage) for `exact` with a
/// network that is too large.
Maxima maximise(const models::Network& network, const Tensor& encoded, std::int64_t numbers,
                const MaximiserConfig& config, Random& random);

}  // namespace rlhf::control
