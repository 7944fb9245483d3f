// Whole models against transformers: tiny random ones of each family, whose numbers are under tests/reference/models.
#include <gtest/gtest.h>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/core/safetensors.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/model_files.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::models {
namespace {

namespace fs = std::filesystem;

const fs::path kReference = RLHF_SOURCE_DIR "/tests/reference/models";

nlohmann::json golden(const std::string& name) {
  return nlohmann::json::parse(std::ifstream(kReference / name / "golden.json"));
}

std::vector<TokenIds> inputs(const std::string& name) { return golden(name)["inputs"].get<std::vector<TokenIds>>(); }

/// All inputs in one ragged batch: [tokens, vocabulary].
Tensor all_logits(const LanguageModel& model, const std::vector<TokenIds>& sequences) {
  const at::NoGradGuard no_grad;
  return at::mm(model.forward(pack(sequences)), model.output_weight().t());
}

TokenIds greedy(const LanguageModel& model, TokenIds ids, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) ids.push_back(all_logits(model, {ids})[-1].argmax().item<std::int64_t>());
  return {ids.end() - static_cast<std::ptrdiff_t>(count), ids.end()};
}

double largest_difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

class Forward : public ::testing::TestWithParam<std::string> {};

TEST_P(Forward, LogitsAgreeWithTransformers) {
  const auto loaded = load_model((kReference / GetParam()).string());
  const auto sequences = inputs(GetParam());
  const auto expected = SafetensorsFile::open(kReference / GetParam() / "golden.safetensors");
  const auto logits = all_logits(*loaded.model, sequences);
  std::int64_t start = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const auto count = static_cast<std::int64_t>(sequences[i].size());
    EXPECT_LT(largest_difference(logits.narrow(0, start, count), expected.tensor("logits." + std::to_string(i))), 1e-4)
        << "input " << i;
    start += count;
  }
}

TEST_P(Forward, GreedyContinuationsAgreeWithTransformers) {
  const auto loaded = load_model((kReference / GetParam()).string());
  const auto expected = golden(GetParam())["greedy"].get<std::vector<TokenIds>>();
  const auto sequences = inputs(GetParam());
  for (std::size_t i = 0; i < sequences.size(); ++i)
    EXPECT_EQ(greedy(*loaded.model, sequences[i], expected[i].size()), expected[i]);
}

TEST_P(Forward, HuggingFaceExportReadsBackEqual) {
  const ScratchFolder folder;
  const auto loaded = load_model((kReference / GetParam()).string());
  save_hf(folder.path(), *loaded.model, loaded.text, {.shard_bytes = 40000});
  const auto again = load_model(folder.path().string());
  const auto before = loaded.model->weights(), after = again.model->weights();
  ASSERT_EQ(before.size(), after.size());
  for (const auto& [name, weight] : before) EXPECT_TRUE(at::equal(weight, after.at(name))) << name;
  EXPECT_TRUE(at::equal(all_logits(*loaded.model, inputs(GetParam())), all_logits(*again.model, inputs(GetParam()))));
}

TEST_P(Forward, GgufExportReadsBackEqual) {
  const ScratchFolder folder;
  const auto loaded = load_model((kReference / GetParam()).string());
  const auto file = folder.path() / "model.gguf";
  save_gguf(file, *loaded.model, loaded.text, StoredAs::f32);
  const auto again = load_model(file.string());
  for (const auto& [name, weight] : loaded.model->weights())
    EXPECT_TRUE(at::equal(weight, again.model->weights().at(name))) << name;
  EXPECT_LT(
      largest_difference(all_logits(*loaded.model, inputs(GetParam())), all_logits(*again.model, inputs(GetParam()))),
      1e-6);
}

TEST_P(Forward, QuantizedExportsAreClose) {
  const ScratchFolder folder;
  const auto loaded = load_model((kReference / GetParam()).string());
  const auto exact = all_logits(*loaded.model, inputs(GetParam()));
  const auto file = folder.path() / "model.gguf";
  const auto error = [&](StoredAs dtype) {
    save_gguf(file, *loaded.model, loaded.text, dtype);
    const auto stored = all_logits(*load_model(file.string()).model, inputs(GetParam()));
    return (stored - exact).norm().item<double>() / exact.norm().item<double>();
  };
  // transformers with weights rounded by the gguf package: at most 0.0015, 0.0124 and 0.0466 over these models.
  EXPECT_LT(error(StoredAs::f16), 0.002);
  EXPECT_LT(error(StoredAs::bf16), 0.015);
  EXPECT_LT(error(StoredAs::q8_0), 0.06);
}

INSTANTIATE_TEST_SUITE_P(Families, Forward,
                         ::testing::Values("llama_tied", "llama_untied", "llama_rope_llama3", "llama_rope_linear",
                                           "qwen2", "qwen3", "mistral", "gpt2"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace rlhf::models
