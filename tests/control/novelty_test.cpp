#include "rlhf/control/novelty.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

namespace rlhf::control {
namespace {

TEST(Novelty, TheDistanceToTheSecondNearestByHand) {
  Novelty novelty(2, 100);
  novelty.remember(at::tensor({0.0f, 2.0f, 4.0f, 6.0f}).view({4, 1}));  // deviation: sqrt((9 + 1 + 1 + 9) / 4)
  const double deviation = std::sqrt(5.0);
  const auto found = novelty.rewards(at::tensor({0.0f, 1.0f, 10.0f}).view({3, 1}));
  // Second nearest: of 0, the 2; of 1, the other of 0 and 2; of 10, the 4.
  EXPECT_NEAR(found[0].item<double>(), std::log1p(2 / deviation), 1e-6);
  EXPECT_NEAR(found[1].item<double>(), std::log1p(1 / deviation), 1e-6);
  EXPECT_NEAR(found[2].item<double>(), std::log1p(6 / deviation), 1e-6);
}

TEST(Novelty, UnitsDoNotMatterAndOldStatesAreForgotten) {
  const auto near = at::arange(8, at::kFloat).view({8, 1}), query = at::tensor({3.5f}).view({1, 1});
  Novelty metres(1), millimetres(1);
  metres.remember(near);
  millimetres.remember(near * 1000);
  EXPECT_NEAR(metres.rewards(query).item<double>(), millimetres.rewards(query * 1000).item<double>(), 1e-6);
  Novelty forgetful(1, 8);
  forgetful.remember(at::zeros({20, 1}));
  forgetful.remember(near);
  EXPECT_EQ(forgetful.version(), 2);
  EXPECT_EQ(forgetful.rewards(query).item<double>(), metres.rewards(query).item<double>());
}

TEST(Novelty, NothingIsNewWhileNothingIsKnownAndAllComesBack) {
  Novelty novelty(3);
  EXPECT_EQ(novelty.rewards(at::zeros({2, 4})).abs().sum().item<double>(), 0);
  novelty.remember(at::arange(20, at::kFloat).view({5, 4}));
  State state;
  novelty.save(state, "novelty");
  Novelty other(3);
  other.restore(state, "novelty");
  const auto query = at::zeros({2, 4});
  EXPECT_TRUE(other.rewards(query).equal(novelty.rewards(query)));
  EXPECT_EQ(other.version(), novelty.version());
}

}  // namespace
}  // namespace rlhf::control
