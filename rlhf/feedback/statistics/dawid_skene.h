#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "rlhf/feedback/statistics/units.h"

namespace rlhf::feedback::statistics {

struct DawidSkeneOptions {
  int rounds = 200;         // at most
  double tolerance = 1e-7;  // stops when no posterior moves by more
  double smoothing = 0.01;  // answers added to each cell of a confusion table, so that nothing is impossible
};

/// What annotators say against what is probably true.
struct DawidSkene {
  std::vector<double> share;                                // [categories] of the true answers
  std::vector<std::vector<std::vector<double>>> confusion;  // [annotators][true][said], rows sum to 1
  std::vector<std::vector<double>> posterior;               // [items][categories], rows sum to 1
  std::vector<double> accuracy;                             // [annotators] chance to say what is true
  int rounds = 0;
};

/// The maximum-likelihood EM of Dawid and Skene (1979): each annotator has a confusion table of their own, and the truth
/// is a weighted vote in which those who err count for less. Starts from the plain vote.
///
///   answers     values are categories 0 .. categories - 1; an annotator may answer an item more than once, or never
///   items, annotators  how many there are; those without an answer keep the shares
///
DawidSkene dawid_skene(std::span<const Given> answers, int annotators, int items, int categories,
                       const DawidSkeneOptions& options = {});

}  // namespace rlhf::feedback::statistics
