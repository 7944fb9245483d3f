#include "rlhf/control/coach.h"

#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/environments/grid.h"

namespace rlhf::control {
namespace {

/// Two states; action 0 stays and earns 1, action 1 goes on (from the second state: to the end) and earns 0, then 4.
TabularWorld corridor() {
  return {.actions = 2,
          .moves = {{{.next = 0, .reward = 1}, {.next = 1, .reward = 0}},
                    {{.next = 1, .reward = 1}, {.next = 1, .reward = 4, .terminated = true}}}};
}

TEST(Tabular, ValuesAreThoseWorkedByHand) {
  const auto world = corridor();
  // gamma 0.5: staying for ever is worth 2; the second state's end is worth 4, going there 0.5 * 4 = 2.
  const auto best = optimal_values(world, 0.5);
  EXPECT_NEAR(best[1], 4, 1e-9);
  EXPECT_NEAR(best[0], 2, 1e-9);
  std::vector<double> values(2, 0.0);
  evaluate_policy(world, {{0.5, 0.5}, {0.5, 0.5}}, 0.5, values);
  // V1 = 0.5 (1 + 0.5 V1) + 0.5 * 4 = 10 / 3; V0 = 0.5 (1 + 0.5 V0) + 0.5 * 0.5 V1 = 16 / 9
  EXPECT_NEAR(values[1], 10.0 / 3, 1e-6);
  EXPECT_NEAR(values[0], 16.0 / 9, 1e-6);
  EXPECT_EQ(greedy_return(world, {{0, 1}, {0, 1}}, 10), 4);
  EXPECT_EQ(greedy_return(world, {{1, 0}, {0, 1}}, 10), 10);
}

TEST(Tabular, TheGridsBestWayIsDry) {
  environments::Grid grid;
  const auto world = tabulate_grid(grid, 8, 5);
  EXPECT_EQ(world.states(), 40);
  const auto best = action_values(world, optimal_values(world, 0.99), 0.99);
  EXPECT_EQ(greedy_return(world, best, 100), 5);
  TabularPolicy straight(40, {0, 1, 0, 0});  // along the bottom row
  EXPECT_LT(greedy_return(world, straight, 100), 0);
}

TEST(Coach, MovesScoresByFeedbackTimesTheGradientOfTheLogProbability) {
  TabularCoach coach(3, 3, 0.7);
  coach.learn(1, 2, {}, 1.0);
  coach.learn(1, 0, {}, -2.0);
  // theta after the first: 0.7 (-1/3, -1/3, 2/3); then -1.4 (1 - p0, -p1, -p2) with p its softmax.
  const double theta[] = {-0.7 / 3, -0.7 / 3, 1.4 / 3};
  double p[3], sum = 0, expected[3], total = 0;
  for (int i = 0; i < 3; ++i) sum += p[i] = std::exp(theta[i]);
  for (int i = 0; i < 3; ++i) total += expected[i] = std::exp(theta[i] - 1.4 * ((i == 0) - p[i] / sum));
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(coach.policy()[1][static_cast<std::size_t>(i)], expected[i] / total, 1e-12);
  EXPECT_EQ(coach.policy()[0], std::vector<double>(3, 1.0 / 3));
}

TEST(Coach, ATraceCreditsWhatWasDoneBeforeWithinTheEpisode) {
  TabularCoach coach(2, 2, 1.0, 0.5);
  coach.learn(0, 1, {}, 0.0);  // nothing is said yet
  EXPECT_EQ(coach.policy()[0][1], 0.5);
  coach.learn(1, 1, {}, 1.0);  // state 1: gradient 1/2; state 0: half of that is left
  const auto chance = [](double gap) { return 1 / (1 + std::exp(-gap)); };
  EXPECT_NEAR(coach.policy()[1][1], chance(1.0), 1e-12);
  EXPECT_NEAR(coach.policy()[0][1], chance(0.5), 1e-12);
  coach.begin_episode();
  coach.learn(1, 1, {}, 1.0);
  EXPECT_NEAR(coach.policy()[0][1], chance(0.5), 1e-12);
}

TEST(Tamer, DoesWhatIsPraisedMostAndSharesEquals) {
  TabularTamer tamer(1, 3, 0.5);
  EXPECT_EQ(tamer.policy()[0], std::vector<double>(3, 1.0 / 3));
  tamer.learn(0, 1, {}, -1.0);
  EXPECT_EQ(tamer.policy()[0], (std::vector<double>{0.5, 0, 0.5}));
  tamer.learn(0, 2, {}, 1.0);
  EXPECT_EQ(tamer.policy()[0], (std::vector<double>{0, 0, 1}));
}

TEST(TabularQ, TakesFeedbackForAReward) {
  TabularQ q(2, 2, 0.5, 0.9, 0.0);
  q.learn(1, 1, {.next = 1, .terminated = true}, 4.0);  // Q(1, 1) = 2
  q.learn(0, 1, {.next = 1}, -0.5);                     // Q(0, 1) = 0.5 (-0.5 + 0.9 * 2) = 0.65
  EXPECT_EQ(q.policy()[0], (std::vector<double>{0, 1}));
  q.learn(0, 0, {.next = 0}, 1.0);  // Q(0, 0) = 0.5 (1 + 0.9 * 0.65) = 0.7925
  EXPECT_EQ(q.policy()[0], (std::vector<double>{1, 0}));
}

}  // namespace
}  // namespace rlhf::control
