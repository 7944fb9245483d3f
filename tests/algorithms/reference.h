#pragma once
#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/core/tensor.h"

namespace rlhf::algorithms {

/// Numbers of tests/reference/algorithms/make_reference.py.
inline const nlohmann::json& reference() {
  static const auto numbers = [] {
    std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/algorithms/reference.json");
    return nlohmann::json::parse(file);
  }();
  return numbers;
}

inline Tensor tensor_of(const nlohmann::json& values) { return at::tensor(values.get<std::vector<float>>()); }

inline void expect_near(const Tensor& found, const Tensor& expected, double tolerance) {
  ASSERT_EQ(found.numel(), expected.numel());
  EXPECT_LE((found.detach().view(-1) - expected.view(-1)).abs().max().item<double>(), tolerance) << found << "\n" << expected;
}

}  // namespace rlhf::algorithms
