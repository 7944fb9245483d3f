#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace rlhf::feedback::statistics {

/// One answer to a pair.
struct Judged {
  std::int32_t annotator = 0;
  std::int32_t one = 0, other = 0;  // the two items
  double preferred = 1.0;           // 1 = one, 0 = other, 0.5 = a tie
  double side = 0.0;                // +1 = `one` was shown left, -1 = right, 0 = not known
};

/// Normal priors, which hold together what few answers leave open.
struct ReliabilityOptions {
  double strength_deviation = 1.0;     // of an item's strength, around 0
  double reliability_deviation = 1.0;  // of an annotator's reliability, around 1
  double side_deviation = 1.0;         // of the pull to the left, around 0
  int rounds = 500;                    // at most
  double tolerance = 1e-8;             // stops when nothing moves by more
};

struct Reliability {
  std::vector<double> strength;     // [items] r, in nats: how good
  std::vector<double> reliability;  // [annotators] beta: 1 = as most, 0 = picks at random, below 0 = reversed
  std::vector<double> side;         // [annotators] b: pull to the left item, in nats
  int rounds = 0;
};

/// Bradley-Terry in which annotators differ: P(u prefers A over B) = sigma(beta_u (r_A - r_B) + b_u side), +1 where A is
/// on the left (annotator reliability as in CrowdBT, Chen et al. 2013, here as a slope; the side term is the usual one for an
/// advantage of place). Maximum a posteriori by Newton steps on one block after the other, each of which is concave.
Reliability fit_reliability(std::span<const Judged> answers, int annotators, int items,
                            const ReliabilityOptions& options = {});

}  // namespace rlhf::feedback::statistics
