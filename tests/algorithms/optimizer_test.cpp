#include "rlhf/algorithms/optimizer.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "reference.h"
#include "rlhf/algorithms/schedule.h"
#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

NamedParameters parameters_of(const nlohmann::json& start) {
  NamedParameters parameters;
  for (const auto& values : start) parameters.emplace_back("p" + std::to_string(parameters.size()), tensor_of(values).set_requires_grad(true));
  return parameters;
}

void set_gradients(NamedParameters& parameters, const nlohmann::json& gradients) {
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].second.mutable_grad() = tensor_of(gradients[i]);
}

AdamConfig config_of(const nlohmann::json& row) {
  return {.beta1 = row["beta1"], .beta2 = row["beta2"], .epsilon = row["epsilon"],
          .epsilon_form = row["form"] == "after_correction" ? AdamEpsilon::after_correction : AdamEpsilon::before_correction,
          .weight_decay = row["weight_decay"], .max_grad_norm = row["max_grad_norm"]};
}

TEST(AdamW, FirstStepWorkedByHand) {
  // m = 0.1 g, v = 0.001 g^2; PyTorch: m̂ / (sqrt(v̂) + eps) = g / (|g| + 1e-5) -> about 1 for g = 1e-3: 0.990099
  // TensorFlow: sqrt(1 - b2) / (1 - b1) * 1e-4 / (sqrt(0.001) * 1e-3 + 1e-5) = 0.759747
  for (const auto& [form, size] : {std::pair{AdamEpsilon::after_correction, 0.990099}, {AdamEpsilon::before_correction, 0.759747}}) {
    NamedParameters parameters{{"w", at::zeros({1}).set_requires_grad(true)}};
    AdamW adam(parameters, {.epsilon = 1e-5, .epsilon_form = form, .max_grad_norm = 0});
    parameters[0].second.mutable_grad() = at::full({1}, 1e-3, at::kFloat);
    EXPECT_NEAR(adam.step(1.0), 1e-3, 1e-9);
    EXPECT_NEAR(parameters[0].second.item<double>(), -size, 1e-5);
  }
}

TEST(AdamW, AgreesWithTorchAndTensorFlow) {
  const auto& numbers = reference()["optimisers"];
  for (const auto& row : numbers["cases"]) {
    auto parameters = parameters_of(numbers["start"]);
    AdamW adam(parameters, config_of(row));
    for (std::size_t t = 0; t < numbers["rates"].size(); ++t) {
      set_gradients(parameters, numbers["gradients"][t]);
      EXPECT_NEAR(adam.step(numbers["rates"][t]), row["norms"][t].get<double>(), 1e-5 * row["norms"][t].get<double>());
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) expect_near(parameters[i].second, tensor_of(row["end"][i]), 2e-6);
  }
}

TEST(AdamW, GoesOnToTheSameBits) {
  const auto& numbers = reference()["optimisers"];
  const auto& row = numbers["cases"][1];
  auto whole = parameters_of(numbers["start"]), broken = parameters_of(numbers["start"]);
  AdamW one(whole, config_of(row));
  State state;
  {
    AdamW first(broken, config_of(row));
    for (int t = 0; t < 4; ++t) {
      set_gradients(broken, numbers["gradients"][t]);
      first.step(numbers["rates"][t]);
    }
    first.save(state, "adam");
    save_parameters(broken, state);
  }
  for (int t = 0; t < 8; ++t) {
    set_gradients(whole, numbers["gradients"][t]);
    one.step(numbers["rates"][t]);
  }
  auto resumed = parameters_of(numbers["start"]);
  AdamW second(resumed, config_of(row));
  restore_parameters(resumed, state);
  second.restore(state, "adam");
  for (int t = 4; t < 8; ++t) {
    set_gradients(resumed, numbers["gradients"][t]);
    second.step(numbers["rates"][t]);
  }
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_TRUE(at::equal(whole[i].second, resumed[i].second));
}

TEST(AdamW, RefusesGradientsThatAreNotFinite) {
  auto parameters = parameters_of({{1.f, 2.f}, {3.f}});
  AdamW adam(parameters, {});
  set_gradients(parameters, {{1.f, 2.f}, {3.f}});
  parameters[1].second.mutable_grad().fill_(std::numeric_limits<float>::quiet_NaN());
  try {
    adam.step(0.1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("p1"), std::string::npos);
  }
  expect_near(parameters[0].second, at::tensor({1.f, 2.f}), 0);
}

TEST(AdamW, LeavesParametersWithoutGradientAlone) {
  auto parameters = parameters_of({{1.f}, {3.f}});
  AdamW adam(parameters, {});
  parameters[0].second.mutable_grad() = at::tensor({1.f});
  adam.step(0.1);
  EXPECT_EQ(parameters[1].second.item<float>(), 3.f);
  EXPECT_LT(parameters[0].second.item<float>(), 1.f);
}

TEST(Scheduled, AgreesWithTransformers) {
  for (const auto& row : reference()["schedules"]) {
    const auto kind = row["kind"] == "constant" ? Schedule::constant : row["kind"] == "linear" ? Schedule::linear : Schedule::cosine;
    for (int t = 0; t < 10; ++t) EXPECT_NEAR(scheduled({.kind = kind, .warmup = row["warmup"]}, 0.5, t, 10), row["rates"][t].get<double>(), 1e-9) << row;
  }
}

}  // namespace
}  // namespace rlhf::algorithms
