#include "rlhf/algorithms/reward_loss.h"

#include "reference.h"
#include "rlhf/algorithms/agreement.h"
#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

std::vector<data::Comparison> reference_comparisons() {
  const auto& r = reference()["preferences"];
  std::vector<data::Comparison> comparisons;
  for (std::size_t i = 0; i < r["sizes"].size(); ++i)
    comparisons.push_back({.items = std::vector<TokenIds>(r["sizes"][i].get<std::size_t>()), .best = r["best"][i], .strength = r["strength"][i]});
  return comparisons;
}

std::vector<const data::Comparison*> pointers(const std::vector<data::Comparison>& comparisons) {
  std::vector<const data::Comparison*> result;
  for (const auto& comparison : comparisons) result.push_back(&comparison);
  return result;
}

TEST(PairwiseLoss, WorkedByHand) {
  const auto out = pairwise_loss(at::tensor({2.f, 0.f}), at::tensor({0.f, 1.f}));
  // -log σ(2) = 0.126928 and -log σ(-1) = 1.313262; their mean:
  EXPECT_NEAR(out.loss.item<double>(), 0.720095, 1e-5);
  EXPECT_NEAR(out.metrics.accuracy.item<double>(), 0.5, 1e-6);
  EXPECT_NEAR(out.metrics.margin.item<double>(), 0.5, 1e-6);
}

TEST(PairwiseLoss, StaysFiniteAndRefusesUnequalSides) {
  EXPECT_NEAR(pairwise_loss(at::tensor({-500.f}), at::tensor({500.f})).loss.item<double>(), 1000, 1e-2);
  EXPECT_THROW(pairwise_loss(at::tensor({1.f}), at::tensor({1.f, 2.f})), Error);
}

TEST(BestOfNLoss, AgreesWithTorchOnRaggedJudgements) {
  const auto& r = reference()["preferences"];
  const auto comparisons = reference_comparisons();
  const auto scores = tensor_of(r["scores"]).set_requires_grad(true);
  const auto out = best_of_n_loss(scores, pointers(comparisons));
  out.loss.backward();
  EXPECT_NEAR(out.loss.item<double>(), r["loss"], 1e-6);
  expect_near(scores.grad(), tensor_of(r["gradient"]), 1e-6);
}

TEST(BestOfNLoss, OfTwoItemsIsThePairwiseLoss) {
  const std::vector<data::Comparison> two{{.items = {{1}, {2}}, .best = 0}, {.items = {{1}, {2}}, .best = 1}};
  const auto best = best_of_n_loss(at::tensor({2.f, 0.f, 1.f, 0.f}), pointers(two));
  EXPECT_NEAR(best.loss.item<double>(), 0.720095, 1e-5);
  EXPECT_NEAR(best.metrics.accuracy.item<double>(), 0.5, 1e-6);
  EXPECT_NEAR(best.metrics.margin.item<double>(), 0.5, 1e-6);
}

TEST(BestOfNLoss, ATiePullsTheScoresTogether) {
  const std::vector<data::Comparison> tie{{.items = {{1}, {2}}, .tie = true}};
  const auto scores = at::tensor({1.f, 0.f}).set_requires_grad(true);
  const auto out = best_of_n_loss(scores, pointers(tie));
  out.loss.backward();
  // 0.5 (-log σ(1) - log σ(-1)) = 0.813262; gradient σ(1) - 0.5 = 0.231059
  EXPECT_NEAR(out.loss.item<double>(), 0.813262, 1e-5);
  expect_near(scores.grad(), at::tensor({.231059f, -.231059f}), 1e-5);
}

TEST(BestOfNLoss, RefusesWhatDoesNotFit) {
  const auto comparisons = reference_comparisons();
  EXPECT_THROW(best_of_n_loss(at::tensor({1.f}), pointers(comparisons)), Error);
  const std::vector<data::Comparison> lonely{{.items = {{1}}, .best = 0}};
  EXPECT_THROW(best_of_n_loss(at::tensor({1.f}), pointers(lonely)), Error);
}

TEST(PairAccuracy, WorkedByHand) {
  // best 0 of three: gaps 2 - 1 and 2 - 3; a pair with equal scores counts half; a tie is left out
  const std::vector<data::Comparison> comparisons{{.items = {{1}, {2}, {3}}, .best = 0}, {.items = {{1}, {2}}, .best = 1}, {.items = {{1}, {2}}, .tie = true}};
  const auto found = pair_accuracy(at::tensor({2.f, 1.f, 3.f, 4.f, 4.f, 0.f, 9.f}), comparisons);
  EXPECT_EQ(found.pairs, 3);
  EXPECT_NEAR(found.accuracy, 0.5, 1e-9);
  // Wilson, n = 3, p = 1/2: 0.5 ± 1.96 / (1 + 1.2805) * sqrt(1/12 + 3.8415/36)
  EXPECT_NEAR(found.high, 0.8747, 5e-4);
  EXPECT_NEAR(found.low, 0.1253, 5e-4);
}

TEST(NoisyPairs, AConfidentMistakePullsLittle) {
  // d = -6, first preferred: p = sigmoid(-6), q = 0.9 p + 0.05; slope -0.9 p (1 - p) / q = -0.0425, without noise -0.9975.
  const auto slope = [](double noise) {
    auto gap = at::tensor({-6.0F}).requires_grad_();
    noisy_pairwise_loss(gap, at::tensor({1.0F}), noise).backward();
    return gap.grad().item<double>();
  };
  EXPECT_NEAR(slope(0.1), -0.0425, 5e-4);
  EXPECT_NEAR(slope(0.0), -0.9975, 5e-4);
  EXPECT_NEAR(noisy_pairwise_loss(at::tensor({0.0F, 0.0F}), at::tensor({0.5F, 1.0F}), 0.1).item<double>(), std::log(2.0), 1e-6);
  EXPECT_NEAR(noisy_pairwise_losses(at::tensor({0.0F, 3.0F}), at::tensor({0.5F, 1.0F}), 0.1)[1].item<double>(),
              -std::log(0.9 / (1 + std::exp(-3)) + 0.05), 1e-6);
  EXPECT_THROW(noisy_pairwise_loss(at::tensor({1.0F}), at::tensor({1.0F, 0.0F}), 0.1), Error);
}

}  // namespace
}  // namespace rlhf::algorithms
