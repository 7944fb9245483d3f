#include "rlhf/algorithms/clipped_surrogate.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "reference.h"
#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

Tensor leaf(const nlohmann::json& values) { return tensor_of(values).set_requires_grad(true); }

TEST(ClippedPolicyLoss, WorkedByHand) {
  // ratios e^0.5 = 1.648721 and 1; advantages 1 and -1; clip 0.2
  //   max(-1.648721, -1.2) = -1.2 (clipped), max(1, 1) = 1; mean -0.1
  const auto out = clipped_policy_loss({.logprobs = at::tensor({-1.f, -1.f}), .old_logprobs = at::tensor({-1.5f, -1.f}), .advantages = at::tensor({1.f, -1.f})}, 0.2);
  EXPECT_NEAR(out.loss.item<double>(), -0.1, 1e-6);
  EXPECT_NEAR(out.metrics.clip_fraction.item<double>(), 0.5, 1e-6);
  EXPECT_NEAR(out.metrics.approx_kl.item<double>(), 0.0625, 1e-6);
  EXPECT_NEAR(out.metrics.kl.item<double>(), 0.074361, 1e-6);  // (1.648721 - 1 - 0.5) / 2
  EXPECT_NEAR(out.metrics.ratio_max.item<double>(), 1.648721, 1e-5);
}

TEST(ClippedPolicyLoss, GradientIsTheAdvantageWhereTheRatioIsOne) {
  const auto logprobs = leaf({-1.f, -2.f});
  clipped_policy_loss({.logprobs = logprobs, .old_logprobs = logprobs.detach(), .advantages = at::tensor({3.f, -1.f})}, 0.2).loss.backward();
  expect_near(logprobs.grad(), at::tensor({-1.5f, .5f}), 1e-6);
}

TEST(ClippedSurrogate, AgreesWithTorchOnRaggedData) {
  const auto& r = reference()["ppo"];
  const auto logprobs = leaf(r["logprobs"]), values = leaf(r["values"]);
  const auto policy = clipped_policy_loss({.logprobs = logprobs, .old_logprobs = tensor_of(r["old_logprobs"]), .advantages = tensor_of(r["advantages"])}, r["clip"]);
  const auto value = clipped_value_loss({.values = values, .old_values = tensor_of(r["old_values"]), .returns = tensor_of(r["returns"])}, r["clip"]);
  (policy.loss + r["value_coefficient"].get<double>() * value.loss).backward();
  EXPECT_NEAR(policy.loss.item<double>(), r["policy_loss"], 1e-6);
  EXPECT_NEAR(value.loss.item<double>(), r["value_loss"], 1e-6);
  EXPECT_NEAR(policy.metrics.approx_kl.item<double>(), r["approx_kl"], 1e-6);
  EXPECT_NEAR(policy.metrics.clip_fraction.item<double>(), r["policy_clip_fraction"], 1e-6);
  EXPECT_NEAR(value.metrics.clip_fraction.item<double>(), r["value_clip_fraction"], 1e-6);
  EXPECT_NEAR(explained_variance(tensor_of(r["old_values"]), tensor_of(r["returns"])), r["explained_variance"], 1e-5);
  expect_near(logprobs.grad(), tensor_of(r["logprob_gradient"]), 1e-6);
  expect_near(values.grad(), tensor_of(r["value_gradient"]), 1e-6);
}

TEST(ClippedSurrogate, PiecesWithOneDenominatorAreTheWhole) {
  const auto& r = reference()["ppo"];
  const auto logprobs = tensor_of(r["logprobs"]), old = tensor_of(r["old_logprobs"]), advantages = tensor_of(r["advantages"]);
  const auto whole = clipped_policy_loss({.logprobs = logprobs, .old_logprobs = old, .advantages = advantages}, 0.2);
  double loss = 0, clipped = 0;
  const auto tokens = logprobs.numel();
  for (const auto& [begin, end] : {std::pair<std::int64_t, std::int64_t>{0, 5}, {5, tokens}}) {
    const auto part = clipped_policy_loss({.logprobs = logprobs.slice(0, begin, end), .old_logprobs = old.slice(0, begin, end), .advantages = advantages.slice(0, begin, end)}, 0.2, double(tokens));
    loss += part.loss.item<double>();
    clipped += part.metrics.clip_fraction.item<double>();
  }
  EXPECT_NEAR(loss, whole.loss.item<double>(), 1e-6);
  EXPECT_NEAR(clipped, whole.metrics.clip_fraction.item<double>(), 1e-6);
}

TEST(ClippedSurrogate, MaskedTokensChangeNothing) {
  const auto& r = reference()["ppo"];
  const auto pad = [](const Tensor& values, double filler) { return at::cat({values, at::full({3}, filler, at::kFloat)}); };
  const auto logprobs = tensor_of(r["logprobs"]), old = tensor_of(r["old_logprobs"]), advantages = tensor_of(r["advantages"]);
  const auto mask = at::cat({at::ones({logprobs.numel()}, at::kBool), at::zeros({3}, at::kBool)});
  const auto plain = clipped_policy_loss({.logprobs = logprobs, .old_logprobs = old, .advantages = advantages}, 0.2);
  // A masked ratio may even be infinite.
  const auto masked = clipped_policy_loss({.logprobs = pad(logprobs, 100), .old_logprobs = pad(old, -100), .advantages = pad(advantages, 5), .mask = mask}, 0.2);
  EXPECT_EQ(masked.loss.item<float>(), plain.loss.item<float>());
  EXPECT_EQ(masked.metrics.ratio_max.item<float>(), plain.metrics.ratio_max.item<float>());
}

TEST(ClippedSurrogate, RefusesUnequalShapesAndAnEmptyMask) {
  EXPECT_THROW(clipped_policy_loss({.logprobs = at::zeros({2}), .old_logprobs = at::zeros({3}), .advantages = at::zeros({2})}, 0.2), Error);
  EXPECT_THROW(clipped_value_loss({.values = at::zeros({2}), .old_values = at::zeros({2}), .returns = at::zeros({2}), .mask = at::zeros({2}, at::kBool)}, 0.2), Error);
}

TEST(ExplainedVariance, WorkedByHand) {
  const auto returns = at::tensor({1.f, 2.f, 3.f});
  EXPECT_NEAR(explained_variance(returns, returns), 1, 1e-6);
  EXPECT_NEAR(explained_variance(at::zeros({3}), returns), 0, 1e-6);
  EXPECT_TRUE(std::isnan(explained_variance(returns, at::zeros({3}))));
}

}  // namespace
}  // namespace rlhf::algorithms
