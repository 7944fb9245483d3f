#pragma once
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/control/replay.h"
#include "rlhf/models/network.h"

namespace rlhf::control {

/// Numbers that a script of tests/reference/control/ made.
inline nlohmann::json reference(const std::string& file) {
  std::ifstream stream(RLHF_SOURCE_DIR "/tests/reference/control/" + file);
  return nlohmann::json::parse(stream);
}

inline Tensor numbers(const nlohmann::json& values) {
  return at::tensor(values.get<std::vector<double>>()).to(at::kFloat);
}

/// [steps, envs] as nested lists -> [envs, steps]
inline Tensor by_environment(const nlohmann::json& rows) {
  std::vector<Tensor> steps;
  for (const auto& row : rows) steps.push_back(numbers(row));
  return at::stack(steps, 1).contiguous();
}

/// A minibatch whose "dones" terminated, after one step each.
inline Transitions transitions(const nlohmann::json& batch, double gamma, bool choices) {
  const std::int64_t rows = std::ssize(batch.at("rewards"));
  const auto actions = numbers(batch.at("actions"));
  return {.observations = numbers(batch.at("observations")).view({rows, -1}),
          .actions = choices ? actions.to(at::kLong) : actions.view({rows, -1}),
          .rewards = numbers(batch.at("rewards")),
          .next_observations = numbers(batch.at("next_observations")).view({rows, -1}),
          .discounts = (1 - numbers(batch.at("dones"))) * gamma};
}

inline void set(const models::NamedWeights& weights, const nlohmann::json& values) {
  const at::NoGradGuard no_gradient;
  for (auto [name, weight] : weights) weight.copy_(numbers(values.at(name)).view_as(weight));
}

inline void expect_weights(const models::NamedWeights& weights, const nlohmann::json& values) {
  ASSERT_EQ(weights.size(), values.size());
  for (const auto& [name, weight] : weights)
    EXPECT_LE((weight.detach().flatten() - numbers(values.at(name))).abs().max().item<float>(), 1e-5F) << name;
}

/// The networks of the scripts.
inline const models::NetworkConfig tiny_relu{
    .hidden = {8, 8}, .activation = models::Activation::relu, .initial = models::Initial::uniform};

}  // namespace rlhf::control
