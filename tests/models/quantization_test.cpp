#include "rlhf/models/quantization.h"

#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include <bit>
#include <cmath>
#include <vector>

#include "rlhf/core/safetensors.h"

namespace rlhf::models {
namespace {

SafetensorsFile reference() {
  return SafetensorsFile::open(RLHF_SOURCE_DIR "/tests/reference/models/quantization.safetensors");
}

class Dequantize : public ::testing::TestWithParam<GgmlType> {};

TEST_P(Dequantize, AgreesWithTheGgufPackage) {
  const auto file = reference();
  const auto block = ggml_block(GetParam());
  const auto blocks = file.tensor(std::string(block.name) + ".blocks"),
             expected = file.tensor(std::string(block.name) + ".values");
  ASSERT_EQ(blocks.size(1), block.bytes);
  ASSERT_EQ(expected.size(1), block.elements);
  std::vector<float> values(static_cast<std::size_t>(expected.numel()));
  dequantize(GetParam(), reinterpret_cast<const std::byte*>(blocks.data_ptr()), expected.numel(), values.data());
  const auto* wanted = expected.const_data_ptr<float>();
  // Equal but for one rounding: the compiler may join a product and a sum.
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_NEAR(values[i], wanted[i], 1e-6 * (1 + std::abs(wanted[i]))) << i;
}

INSTANTIATE_TEST_SUITE_P(Types, Dequantize,
                         ::testing::Values(GgmlType::q8_0, GgmlType::q4_0, GgmlType::q4_1, GgmlType::q5_0,
                                           GgmlType::q5_1, GgmlType::q4_k, GgmlType::q5_k, GgmlType::q6_k),
                         [](const auto& info) { return std::string(ggml_block(info.param).name); });

TEST(Quantize, Q8_0AgreesWithTheGgufPackageToTheByte) {
  const auto file = reference();
  const auto input = file.tensor("q8_0.input"), expected = file.tensor("q8_0.output");
  std::vector<std::byte> blocks(static_cast<std::size_t>(expected.numel()));
  quantize_q8_0(input.const_data_ptr<float>(), input.numel(), blocks.data());
  const auto* wanted = static_cast<const std::byte*>(expected.data_ptr());
  for (std::size_t i = 0; i < blocks.size(); ++i) ASSERT_EQ(blocks[i], wanted[i]) << i;
}

TEST(Half, EveryNumberSurvivesAndLibTorchAgrees) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half), wanted = static_cast<float>(c10::Half(half, c10::Half::from_bits()));
    if (std::isnan(wanted)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      continue;
    }
    ASSERT_EQ(std::bit_cast<std::uint32_t>(value), std::bit_cast<std::uint32_t>(wanted)) << bits;
    ASSERT_EQ(float_to_half(value), half) << bits;
  }
}

TEST(Half, RoundsAsLibTorch) {
  at::manual_seed(3);
  const auto values =
      at::cat({at::randn({20000}), at::randn({20000}) * 1e-6, at::randn({20000}) * 4e4,
               at::tensor({65519.0f, 65520.0f, 1e9f, 5.9604645e-8f, 2.9802322e-8f, 2.98023e-8f, 0.0f, -0.0f})});
  const auto halves = values.to(at::kHalf);
  for (std::int64_t i = 0; i < values.numel(); ++i)
    ASSERT_EQ(float_to_half(values[i].item<float>()), halves.const_data_ptr<c10::Half>()[i].x)
        << values[i].item<float>();
}

TEST(Dequantize, Bfloat16) {
  const auto values = at::randn({64}).to(at::kBFloat16);
  std::vector<float> read(64);
  dequantize(GgmlType::bf16, static_cast<const std::byte*>(values.data_ptr()), 64, read.data());
  for (int i = 0; i < 64; ++i) EXPECT_EQ(read[i], values[i].item<float>());
}

}  // namespace
}  // namespace rlhf::models
