#include "rlhf/control/sum_tree.h"

#include <gtest/gtest.h>

namespace rlhf::control {
namespace {

TEST(SumTree, FindsPlacesByTheirShare) {
  SumTree tree(5);
  for (const auto& [place, value] : {std::pair{0, 1.0}, {1, 0.5}, {2, 0.0}, {3, 2.0}, {4, 0.25}})
    tree.set(place, value);
  EXPECT_EQ(tree.total(), 3.75);
  // The sums up to each place: 1, 1.5, 1.5, 3.5, 3.75.
  for (const auto& [mass, place] : {std::pair{0.0, 0}, {0.99, 0}, {1.0, 1}, {1.5, 3}, {3.49, 3}, {3.5, 4}, {3.74, 4}})
    EXPECT_EQ(tree.find(mass), place) << mass;
  tree.set(0, 0.0);
  EXPECT_EQ(tree.total(), 2.75);
  EXPECT_EQ(tree.find(0.0), 1);
  EXPECT_EQ(tree.find(2.75), 4);  // a mass that rounding brought up to the total
  EXPECT_EQ(tree[3], 2.0);
}

}  // namespace
}  // namespace rlhf::control
