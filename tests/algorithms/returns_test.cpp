#include "rlhf/algorithms/returns.h"

#include <ATen/ops/zeros.h>

#include "reference.h"
#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

TEST(Gae, WorkedByHand) {
  // One completion of three tokens, reward at the end, gamma 1, lambda 0.95:
  //   deltas 0.4 - 0.2 = 0.2, 0.6 - 0.4 = 0.2, 1 - 0.6 = 0.4;  A3 = 0.4, A2 = 0.2 + 0.95 * 0.4 = 0.58, A1 = 0.2 + 0.95 * 0.58 = 0.751
  const std::vector<std::int64_t> starts{0, 3};
  const auto targets = gae(at::tensor({0.f, 0.f, 1.f}), at::tensor({.2f, .4f, .6f}), starts);
  expect_near(targets.advantages, at::tensor({.751f, .58f, .4f}), 1e-6);
  expect_near(targets.returns, at::tensor({.951f, .98f, 1.f}), 1e-6);
}

TEST(Gae, NothingCrossesFromOneSequenceToTheNext) {
  const std::vector<std::int64_t> both{0, 2, 4}, first{0, 2};
  const auto rewards = at::tensor({0.f, 1.f, 100.f, 100.f}), values = at::tensor({.5f, .5f, 9.f, 9.f});
  const auto together = gae(rewards, values, both), alone = gae(rewards.slice(0, 0, 2), values.slice(0, 0, 2), first);
  expect_near(together.advantages.slice(0, 0, 2), alone.advantages, 0);
}

TEST(Gae, AgreesWithTheDefinition) {
  const auto& numbers = reference()["gae"];
  const auto starts = numbers["starts"].get<std::vector<std::int64_t>>();
  for (const auto& row : numbers["cases"]) {
    const auto targets = gae(tensor_of(numbers["rewards"]), tensor_of(numbers["values"]), starts, {.gamma = row["gamma"], .lambda = row["lambda"]});
    expect_near(targets.advantages, tensor_of(row["advantages"]), 2e-6);
    expect_near(targets.returns, tensor_of(row["returns"]), 2e-6);
  }
}

TEST(Gae, RefusesStartsThatDoNotCoverTheTokens) {
  const std::vector<std::int64_t> starts{0, 2};
  EXPECT_THROW(gae(at::tensor({1.f, 2.f, 3.f}), at::tensor({1.f, 2.f, 3.f}), starts), Error);
}

TEST(DiscountedReturns, WorkedByHand) {
  const std::vector<std::int64_t> starts{0, 3, 4};
  // 1 + 0.5 (2 + 0.5 * 4) = 3, 2 + 0.5 * 4 = 4, 4 | 8
  expect_near(discounted_returns(at::tensor({1.f, 2.f, 4.f, 8.f}), starts, 0.5), at::tensor({3.f, 4.f, 4.f, 8.f}), 1e-6);
}

TEST(Whiten, AgreesWithNumPy) {
  const auto& numbers = reference()["whitened"];
  const auto kept = numbers["mask"].get<std::vector<bool>>();
  Tensor mask = at::zeros({static_cast<std::int64_t>(kept.size())}, at::kBool);
  for (std::size_t i = 0; i < kept.size(); ++i) mask[static_cast<std::int64_t>(i)].fill_(bool(kept[i]));
  for (const auto& row : numbers["cases"])
    expect_near(whiten(tensor_of(numbers["values"]), mask, {.shift_mean = row["shift_mean"], .unbiased = row["unbiased"]}),
                tensor_of(row["whitened"]), 5e-6);
}

TEST(Whiten, NeedsTwoValues) { EXPECT_THROW(whiten(at::tensor({1.f})), Error); }

TEST(Gae, ASequenceThatWasOnlyCutOffCountsWhatFollowed) {
  // gamma 0.5, lambda 1: A_1 = 2 + 0.5 * 8 - 1 = 5, A_0 = 1 + 0.5 * 1 - 3 + 0.5 * 5 = 1; without `after` A_1 = 1, A_0 = -1.
  const auto rewards = at::tensor({1.0F, 2.0F, 1.0F, 2.0F}), values = at::tensor({3.0F, 1.0F, 3.0F, 1.0F});
  const std::vector<std::int64_t> starts = {0, 2, 4};
  const auto targets = gae(rewards, values, starts, {.gamma = 0.5, .lambda = 1.0}, at::tensor({8.0F, 0.0F}));
  EXPECT_TRUE(targets.advantages.equal(at::tensor({1.0F, 5.0F, -1.0F, 1.0F})));
  EXPECT_TRUE(targets.returns.equal(at::tensor({4.0F, 6.0F, 2.0F, 2.0F})));
  EXPECT_THROW(gae(rewards, values, starts, {}, at::tensor({8.0F})), Error);
}

}  // namespace
}  // namespace rlhf::algorithms
