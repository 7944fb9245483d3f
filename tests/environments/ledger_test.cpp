#include "rlhf/environments/ledger.h"

#include <gtest/gtest.h>

#include "rlhf/environments/rollout.h"

namespace rlhf::environments {
namespace {

/// Adds as it is done on paper, from nothing but what is seen. `carry`: does the clerk think of what is carried?
Action digit(const Array& seen, bool carry) {
  const auto& now = std::get<std::vector<std::int64_t>>(seen);
  const bool carried = now[1] != LedgerWorld::no_column && now[1] >= 10;
  return Action{now[2] == 2 ? std::int64_t{carried} : (now[0] + (carried && carry ? 1 : 0)) % 10};
}

double earned(bool carry, std::uint64_t seed, std::size_t* steps = nullptr) {
  Single<LedgerWorld> environment;
  const auto page = roll_out(environment, [&](const Array& seen, Random&) { return digit(seen, carry); }, seed);
  EXPECT_TRUE(page.terminated);
  if (steps) *steps = page.actions.size();
  double sum = 0;
  for (const double reward : page.rewards) sum += reward;
  return sum;
}

TEST(Ledger, WhoeverAddsRightEarnsEveryLine) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::size_t steps = 0;
    EXPECT_EQ(earned(true, seed, &steps), 12);
    EXPECT_EQ(steps, 36u);
  }
}

TEST(Ledger, WhoeverForgetsToCarryLosesTheLinesThatCarry) {
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) sum += earned(false, seed);
  EXPECT_NEAR(sum / (200 * 12), 0.55, 0.03);  // of 100 pairs of unit digits, 55 sum to less than 10
}

}  // namespace
}  // namespace rlhf::environments
