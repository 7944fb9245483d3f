// SmolLM2-135M-Instruct from its GGUF file against transformers (tests/reference/models/make_smollm2_golden.py).
#include <gtest/gtest.h>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/model_files.h"
#include "rlhf/models/model_location.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kReference = RLHF_SOURCE_DIR "/tests/reference/models";

Tensor logits(const LanguageModel& model, const TokenIds& ids) {
  const at::NoGradGuard no_grad;
  return at::mm(model.forward(pack(std::vector<TokenIds>{ids})), model.output_weight().t());
}

TokenIds greedy(const LanguageModel& model, TokenIds ids, std::size_t count) {
  const at::NoGradGuard no_grad;
  const auto prompt = static_cast<std::ptrdiff_t>(ids.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto hidden = model.forward(pack(std::vector<TokenIds>{ids}));
    ids.push_back(at::mv(model.output_weight(), hidden[-1]).argmax().item<std::int64_t>());
  }
  return {ids.begin() + prompt, ids.end()};
}

class SmolLm2 : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      locate_model("smollm2-135m");
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
    loaded_ = std::make_unique<LoadedModel>(load_model("smollm2-135m"));
    golden_ = json::parse(std::ifstream(kReference / "smollm2_135m.json"));
  }
  std::unique_ptr<LoadedModel> loaded_;
  json golden_;
};

TEST_F(SmolLm2, LogitsAgreeWithTransformers) {
  for (const auto& sequence : golden_["sequences"]) {
    const auto all = logits(*loaded_->model, sequence["ids"].get<TokenIds>());
    const auto top = sequence["top_ids"].get<TokenIds>();
    for (std::size_t i = 0; i < top.size(); ++i)
      EXPECT_NEAR(all[-1][top[i]].item<float>(), sequence["top_logits"][i].get<float>(), 1e-4);
    const auto flat = all.flatten();
    const auto stride = sequence["stride"].get<std::int64_t>();
    const auto& strided = sequence["strided_logits"];
    double largest = 0;
    for (std::size_t i = 0; i < strided.size(); ++i)
      largest = std::max(
          largest, std::abs(flat[static_cast<std::int64_t>(i) * stride].item<double>() - strided[i].get<double>()));
    EXPECT_LT(largest, 1e-4) << "of " << strided.size();
    EXPECT_NEAR(all.mean().item<double>(), sequence["mean"].get<double>(), 1e-4);
  }
}

TEST_F(SmolLm2, GreedyContinuationsAgreeWithTransformers) {
  for (const auto& sequence : golden_["sequences"])
    if (sequence.contains("greedy")) {
      EXPECT_EQ(greedy(*loaded_->model, sequence["ids"].get<TokenIds>(), 24), sequence["greedy"].get<TokenIds>());
    }
}

/// transformers itself, where the folder of peers has it (RLHF_PEERS_PYTHON names its interpreter).
TEST_F(SmolLm2, TransformersLoadsTheExports) {
  const char* python = std::getenv("RLHF_PEERS_PYTHON");
  if (python == nullptr) GTEST_SKIP() << "set RLHF_PEERS_PYTHON to a Python with transformers and gguf";
  const ScratchFolder out;
  json answers = {{"inputs", json::array()}, {"greedy", json::array()}};
  for (const auto& sequence : golden_["sequences"]) {
    if (!sequence.contains("greedy")) continue;
    answers["inputs"].push_back(sequence["ids"]);
    answers["greedy"].push_back(sequence["greedy"]);
  }
  write_file_atomic(out / "answers.json", answers.dump());
  save_hf(out / "hf", *loaded_->model, loaded_->text);
  save_gguf(out / "model.gguf", *loaded_->model, loaded_->text, StoredAs::f32);
  for (const auto* exported : {"hf", "model.gguf"}) {
    const auto command = std::string(python) + " " + (kReference / "check_export.py").string() + " " +
                         (out / exported).string() + " " + (out / "answers.json").string();
    EXPECT_EQ(std::system(command.c_str()), 0) << exported;
  }
}

}  // namespace
}  // namespace rlhf::models
