#include "rlhf/algorithms/kl.h"

#include "reference.h"
#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

TEST(EstimateKl, WorkedByHand) {
  const auto logprobs = at::tensor({-1.f, -2.f}), reference_logprobs = at::tensor({-1.2f, -1.5f});  // d = 0.2, -0.5
  expect_near(estimate_kl(KlEstimator::k1, logprobs, reference_logprobs), at::tensor({.2f, -.5f}), 1e-6);
  expect_near(estimate_kl(KlEstimator::k2, logprobs, reference_logprobs), at::tensor({.02f, .125f}), 1e-6);
  // exp(-0.2) - 1 + 0.2 and exp(0.5) - 1 - 0.5
  expect_near(estimate_kl(KlEstimator::k3, logprobs, reference_logprobs), at::tensor({.0187308f, .1487213f}), 1e-6);
}

TEST(EstimateKl, IsExactlyZeroForEqualPolicies) {
  const auto logprobs = at::tensor({-1.2345678f, -20.f});
  for (const auto estimator : {KlEstimator::k1, KlEstimator::k2, KlEstimator::k3})
    EXPECT_EQ(estimate_kl(estimator, logprobs, logprobs.clone()).abs().max().item<float>(), 0.f);
}

TEST(KlController, MovesWithTheErrorAndNoFasterThanAFifth) {
  KlController kl({.control = KlControl::adaptive, .coefficient = 0.2, .target = 6, .horizon = 10000});
  kl.update(6.6, 512);  // e = 0.1
  EXPECT_NEAR(kl.coefficient(), 0.2 * (1 + 0.1 * 512 / 10000), 1e-12);
  const double before = kl.coefficient();
  kl.update(600, 512);  // e clipped to 0.2
  EXPECT_NEAR(kl.coefficient(), before * (1 + 0.2 * 512 / 10000), 1e-12);
  const double high = kl.coefficient();
  kl.update(0, 512);
  EXPECT_NEAR(kl.coefficient(), high * (1 - 0.2 * 512 / 10000), 1e-12);
}

TEST(KlController, FixedStays) {
  KlController kl({.control = KlControl::fixed, .coefficient = 0.05});
  kl.update(100, 1000);
  EXPECT_EQ(kl.coefficient(), 0.05);
}

TEST(KlController, ComesBackFromAState) {
  KlController one({}), two({});
  one.update(1, 512);
  State state;
  one.save(state);
  two.restore(state);
  EXPECT_EQ(one.coefficient(), two.coefficient());
}

}  // namespace
}  // namespace rlhf::algorithms
