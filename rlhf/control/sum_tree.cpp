#include "rlhf/control/sum_tree.h"

#include <bit>

namespace rlhf::control {

SumTree::SumTree(std::int64_t places)
    : leaves_(static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(places)))),
      nodes_(static_cast<std::size_t>(2 * leaves_), 0.0) {}

void SumTree::set(std::int64_t place, double value) {
  auto node = static_cast<std::size_t>(leaves_ + place);
  nodes_[node] = value;
  while (node /= 2) nodes_[node] = nodes_[2 * node] + nodes_[2 * node + 1];
}

std::int64_t SumTree::find(double mass) const {
  auto node = std::size_t{1};
  while (node < static_cast<std::size_t>(leaves_)) {
    node *= 2;
    if (mass >= nodes_[node] && nodes_[node + 1] > 0) mass -= nodes_[node++];
  }
  return static_cast<std::int64_t>(node) - leaves_;
}

}  // namespace rlhf::control
