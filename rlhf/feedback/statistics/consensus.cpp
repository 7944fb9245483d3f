#include "rlhf/feedback/statistics/consensus.h"

#include <cmath>
#include <map>

namespace rlhf::feedback::statistics {
namespace {

std::map<int, int> count(std::span<const int> votes) {
  std::map<int, int> counts;
  for (const int vote : votes) ++counts[vote];
  return counts;
}

}  // namespace

std::optional<Majority> majority(std::span<const int> votes) {
  if (votes.empty()) return std::nullopt;
  Majority best;
  int most = 0;
  for (const auto& [category, number] : count(votes)) {
    if (number == most) best.tied = true;
    if (number > most) best = {.category = category, .share = 0.0, .tied = false}, most = number;
  }
  best.share = static_cast<double>(most) / static_cast<double>(votes.size());
  return best;
}

double split_of(std::span<const int> votes) {
  double bits = 0.0;
  for (const auto& [category, number] : count(votes)) {
    const double share = static_cast<double>(number) / static_cast<double>(votes.size());
    bits -= share * std::log2(share);
  }
  return bits == 0.0 ? 0.0 : bits;  // never -0
}

}  // namespace rlhf::feedback::statistics
