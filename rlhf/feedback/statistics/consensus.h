#pragma once
#include <optional>
#include <span>
#include <vector>

namespace rlhf::feedback::statistics {

/// What most say. `tied` when no category has more votes than every other one.
struct Majority {
  int category = 0;    // the lowest of the tied ones
  double share = 0.0;  // of the votes
  bool tied = false;
};

/// The plain vote; nothing without votes. Values are categories, 0 and up.
std::optional<Majority> majority(std::span<const int> votes);

/// How evenly the votes are split: 0 = all alike, 1 = as even as two camps can be, more for more camps. It is the entropy of
/// the votes in bits.
double split_of(std::span<const int> votes);

}  // namespace rlhf::feedback::statistics
