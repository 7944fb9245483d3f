#include "rlhf/models/adapter_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/models/adapter_targets.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/model_files.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

const fs::path kReference = RLHF_SOURCE_DIR "/tests/reference/models";

LoadedModel base() { return load_model((kReference / "llama_tied").string()); }

Tensor logits(const LanguageModel& model, const TokenIds& ids, bool adapters = true) {
  const at::NoGradGuard no_grad;
  return at::mm(model.forward(pack(std::vector<TokenIds>{ids}), {.adapters = adapters}), model.output_weight().t());
}

/// A model with an adapter whose B is not zero.
LoadedModel adapted(const LoraConfig& config) {
  auto loaded = base();
  attach_lora(*loaded.model, config, 3);
  at::manual_seed(9);
  for (const auto& [name, tensor] : lora_parameters(*loaded.model)) {
    const at::NoGradGuard no_grad;
    if (name.ends_with("lora_B.weight")) tensor.copy_(at::randn(tensor.sizes()));
  }
  return loaded;
}

TEST(Adapter, ReadsWhatPeftWroteAndComputesTheSame) {
  const auto loaded = load_model((kReference / "adapter_llama_tied").string());
  EXPECT_EQ(loaded.format, "peft");
  EXPECT_EQ(fs::weakly_canonical(loaded.base), kReference / "llama_tied");
  EXPECT_EQ(loaded.adapter->r, 3);
  const auto golden = SafetensorsFile::open(kReference / "adapter_llama_tied/golden.safetensors");
  const auto inputs =
      json::parse(std::ifstream(kReference / "llama_tied/golden.json"))["inputs"].get<std::vector<TokenIds>>();
  for (std::size_t i = 0; i < inputs.size(); ++i)
    EXPECT_LT(
        (logits(*loaded.model, inputs[i]) - golden.tensor("logits." + std::to_string(i))).abs().max().item<float>(),
        1e-4);
  // With the adapter off it is the base, to the bit.
  EXPECT_TRUE(at::equal(logits(*loaded.model, inputs[0], false), logits(*base().model, inputs[0])));
}

TEST(Adapter, RoundTripToTheBit) {
  const ScratchFolder out;
  const LoraConfig config{.r = 4, .alpha = 8, .rslora = true, .target_modules = {"q_proj", "up_proj"}};
  const auto before = adapted(config);
  auto score = reward_head(32, 1), value = zero_head(32);
  save_adapter(out / "adapter", *before.model, config,
               {.base = (kReference / "llama_tied").string(), .score = score, .value = value});
  const auto after = load_model((out / "adapter").string());
  EXPECT_TRUE(at::equal(logits(*before.model, {1, 2, 3}), logits(*after.model, {1, 2, 3})));
  EXPECT_EQ(after.adapter->alpha, 8);
  EXPECT_TRUE(after.adapter->rslora);
  EXPECT_THAT(after.adapter->target_modules, ElementsAre("q_proj", "up_proj"));
  EXPECT_TRUE(at::equal(after.score->weight, score.weight));
  EXPECT_TRUE(after.value.has_value());
  for (const auto& [name, tensor] : lora_parameters(*after.model)) EXPECT_TRUE(tensor.requires_grad()) << name;
}

TEST(Adapter, FilesAreThoseOfPeft) {
  const ScratchFolder out;
  const LoraConfig config{.r = 4, .alpha = 8, .target_modules = {"q_proj"}};
  const auto loaded = adapted(config);
  save_adapter(out.path(), *loaded.model, config, {.base = "smollm2-135m"});
  const auto file = SafetensorsFile::open(out / "adapter_model.safetensors");
  EXPECT_THAT(file.names(), IsSupersetOf({"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight",
                                          "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"}));
  EXPECT_EQ(file.tensor("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight").sizes(),
            at::IntArrayRef({4, 32}));
  const auto json_config = json::parse(read_file(out / "adapter_config.json"));
  EXPECT_EQ(json_config["peft_type"], "LORA");
  EXPECT_EQ(json_config["base_model_name_or_path"], "smollm2-135m");
  EXPECT_EQ(json_config["lora_alpha"], 8);
  EXPECT_EQ(json_config["target_modules"], json({"q_proj"}));
}

TEST(Adapter, AnotherBaseIsRefused) {
  const ScratchFolder out;
  const LoraConfig config{.r = 2, .target_modules = {"q_proj"}};
  const auto loaded = adapted(config);
  save_adapter(out.path(), *loaded.model, config, {});
  const auto other = base();
  other.model->weights().at("model.norm.weight")[0] += 1;
  EXPECT_THAT(error_of([&] { load_adapter(out.path(), *other.model); }).what(), HasSubstr("trained on other weights"));
  for (const auto& [path, layer] : other.model->linears()) EXPECT_FALSE(layer->lora) << path;
  load_adapter(out.path(), *other.model, true);
}

TEST(Adapter, FingerprintIsThatOfAnExactExport) {
  const ScratchFolder out;
  const auto loaded = base();
  save_gguf(out / "a.gguf", *loaded.model, loaded.text, StoredAs::f32);
  EXPECT_EQ(weights_fingerprint(*loaded.model), weights_fingerprint(*load_model((out / "a.gguf").string()).model));
}

class DamagedAdapter : public ::testing::Test {
 protected:
  DamagedAdapter() {
    const LoraConfig config{.r = 2, .target_modules = {"q_proj", "v_proj"}};
    save_adapter(folder_.path(), *adapted(config).model, config, {});
  }
  void change(const char* key, const json& value) {
    auto config = json::parse(read_file(folder_ / "adapter_config.json"));
    config[key] = value;
    write_file_atomic(folder_ / "adapter_config.json", config.dump());
  }
  std::string problem() {
    const auto loaded = base();
    return error_of([&] { load_adapter(folder_.path(), *loaded.model); }).what();
  }
  ScratchFolder folder_;
};

TEST_F(DamagedAdapter, UnsupportedSettingsAreErrors) {
  for (const auto& [key, value] : std::map<std::string, json>{{"use_dora", true},
                                                              {"bias", "all"},
                                                              {"peft_type", "IA3"},
                                                              {"init_lora_weights", "pissa"},
                                                              {"modules_to_save", {"embed_tokens"}},
                                                              {"layer_replication", {{0, 1}}}}) {
    const auto original = read_file(folder_ / "adapter_config.json");
    change(key.c_str(), value);
    EXPECT_THAT(problem(), HasSubstr(key));
    EXPECT_THAT(problem(), HasSubstr("merge_and_unload"));
    write_file_atomic(folder_ / "adapter_config.json", original);
  }
}

TEST_F(DamagedAdapter, LayersWithoutTensors) {
  change("target_modules", {"q_proj", "v_proj", "o_proj"});
  EXPECT_THAT(problem(), HasSubstr("no tensors for the layer 'model.layers.0.self_attn.o_proj'"));
}

TEST_F(DamagedAdapter, TensorsWithoutLayers) {
  std::map<std::string, Tensor> tensors;
  const auto file = SafetensorsFile::open(folder_ / "adapter_model.safetensors");
  for (const auto& name : file.names()) tensors[name] = file.tensor(name);
  tensors["base_model.model.model.layers.7.self_attn.q_proj.lora_A.weight"] = at::zeros({2, 32});
  write_safetensors(folder_ / "adapter_model.safetensors", tensors);
  EXPECT_THAT(problem(), HasSubstr("layers.7.self_attn.q_proj.lora_A.weight' belongs to no layer"));
}

TEST_F(DamagedAdapter, RankThatIsNotThatOfTheTensors) {
  change("r", 4);
  EXPECT_THAT(problem(), HasSubstr("lora_A has 2 rows; r (with rank_pattern) says 4"));
}

TEST(AdapterTargets, ListsExpressionsAndLayers) {
  const std::string path = "model.layers.1.self_attn.q_proj";
  const auto chosen = [&](const char* config) {
    return AdapterTargets(nlohmann::ordered_json::parse(config), "x").chosen(path);
  };
  EXPECT_TRUE(chosen(R"({"target_modules": ["q_proj"]})"));
  EXPECT_FALSE(chosen(R"({"target_modules": ["proj"]})"));
  EXPECT_TRUE(chosen(R"({"target_modules": "all-linear"})"));
  EXPECT_TRUE(chosen(R"({"target_modules": ".*self_attn.*"})"));
  EXPECT_FALSE(chosen(R"({"target_modules": "self_attn"})"));  // the whole path has to match
  EXPECT_FALSE(chosen(R"({"target_modules": ["q_proj"], "exclude_modules": "model\\.layers\\.1\\..*"})"));
  EXPECT_FALSE(chosen(R"({"target_modules": ["q_proj"], "layers_to_transform": [0, 2]})"));
  EXPECT_TRUE(chosen(R"({"target_modules": ["q_proj"], "layers_to_transform": 1})"));
  EXPECT_FALSE(AdapterTargets(nlohmann::ordered_json::parse(R"({"target_modules": "(?=.*)q"})"), "x").certain());
}

TEST(AdapterTargets, TheFirstPatternWins) {
  const AdapterTargets targets(
      nlohmann::ordered_json::parse(R"({"rank_pattern": {"q_proj": 8, "layers\\.1\\..*q_proj": 4}})"), "x");
  EXPECT_EQ(targets.rank("model.layers.1.self_attn.q_proj", 2), 8);
  EXPECT_EQ(targets.rank("model.layers.0.self_attn.my_q_proj", 2), 2);
}

}  // namespace
}  // namespace rlhf::models
