#include "rlhf/models/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/models/adapter_files.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/gguf.h"
#include "rlhf/models/gguf_config.h"
#include "rlhf/models/model_location.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

const fs::path kReference = RLHF_SOURCE_DIR "/tests/reference/models";

LoadedModel load(const std::string& name) { return load_model((kReference / name).string()); }

/// A copy of a tiny model that a test may damage.
class Copy {
 public:
  explicit Copy(const std::string& name = "llama_tied") {
    fs::copy(kReference / name, path(), fs::copy_options::recursive);
  }
  fs::path path() const { return scratch_ / "model"; }
  json config() const { return json::parse(read_file(path() / "config.json")); }
  void set_config(const json& config) const { write_file_atomic(path() / "config.json", config.dump()); }
  void change(const char* key, const json& value) const {
    auto changed = config();
    changed[key] = value;
    set_config(changed);
  }
  std::string problem() const {
    return error_of([&] { load_model(path().string()); }).what();
  }

 private:
  ScratchFolder scratch_;
};

TEST(LoadModel, SaysWhatIsMissing) {
  Copy no_weights;
  fs::remove(no_weights.path() / "model.safetensors");
  EXPECT_THAT(no_weights.problem(), HasSubstr("has no model.safetensors"));

  Copy pickled;
  fs::rename(pickled.path() / "model.safetensors", pickled.path() / "pytorch_model.bin");
  EXPECT_THAT(pickled.problem(), HasSubstr("save_pretrained"));

  Copy no_shard("qwen2");
  fs::remove(no_shard.path() / "model-00002-of-00003.safetensors");
  EXPECT_THAT(no_shard.problem(), HasSubstr("lacks the shard model-00002-of-00003.safetensors"));

  Copy no_config;
  fs::remove(no_config.path() / "config.json");
  EXPECT_THAT(no_config.problem(), HasSubstr("is not a model"));

  EXPECT_THAT(error_of([] { load_model("no-such-model"); }).what(), HasSubstr("tried no-such-model"));
  EXPECT_THAT(error_of([] { load_model(""); }).what(), HasSubstr("no model is named"));
}

TEST(LoadModel, SaysWhatIsWrong) {
  Copy shape;
  shape.change("intermediate_size", 40);
  EXPECT_THAT(shape.problem(), HasSubstr("[48, 32]"));
  EXPECT_THAT(shape.problem(), HasSubstr("[40, 32]"));

  Copy layers;
  layers.change("num_hidden_layers", 3);
  EXPECT_THAT(layers.problem(), HasSubstr("no tensor 'model.layers.2."));
  EXPECT_THAT(layers.problem(), HasSubstr("The name most like it"));

  Copy family;
  family.change("model_type", "rwkv");
  EXPECT_THAT(family.problem(), HasSubstr("gpt2, llama"));

  Copy quantized;
  quantized.change("quantization_config", {{"quant_method", "awq"}});
  EXPECT_THAT(quantized.problem(), HasSubstr("quantised (awq)"));

  Copy broken;
  write_file_atomic(broken.path() / "config.json", "[1, 2");
  EXPECT_THAT(broken.problem(), HasSubstr("not a JSON object"));

  Copy damaged;
  fs::resize_file(damaged.path() / "model.safetensors", 2000);
  EXPECT_NE(damaged.problem(), "");
}

TEST(LoadModel, TokenizerLargerThanTheEmbeddingIsRefused) {
  Copy copy;
  auto tokenizer = json::parse(read_file(copy.path() / "tokenizer.json"));
  tokenizer["added_tokens"].push_back({{"id", 264},
                                       {"content", "<|extra|>"},
                                       {"single_word", false},
                                       {"lstrip", false},
                                       {"rstrip", false},
                                       {"normalized", false},
                                       {"special", true}});
  write_file_atomic(copy.path() / "tokenizer.json", tokenizer.dump());
  EXPECT_THAT(copy.problem(), HasSubstr("ids up to 264, but the embedding has 264 rows"));
}

TEST(LoadModel, AnIndexCannotReachOutsideItsFolder) {
  Copy copy("qwen2");
  auto index = json::parse(read_file(copy.path() / "model.safetensors.index.json"));
  index["weight_map"]["model.norm.weight"] = "../elsewhere.safetensors";
  write_file_atomic(copy.path() / "model.safetensors.index.json", index.dump());
  EXPECT_THAT(copy.problem(), HasSubstr("something other than a file beside it"));
}

TEST(LoadModel, NamesAreLookedUpInRlhfModels) {
  const ScratchFolder folder;
  fs::copy(kReference / "llama_tied", folder / "mine", fs::copy_options::recursive);
  const auto loaded = load("llama_tied");
  save_gguf(folder / "other" / "a.gguf", *loaded.model, loaded.text);
  save_gguf(folder / "third.gguf", *loaded.model, loaded.text);
  ::setenv("RLHF_MODELS", ("/nowhere:" + folder.path().string()).c_str(), 1);
  EXPECT_EQ(load_model("mine").format, "hf");
  EXPECT_EQ(load_model("other").format, "gguf");
  EXPECT_EQ(load_model("third").source, folder / "third.gguf");
  ::unsetenv("RLHF_MODELS");
}

TEST(LoadModel, RunFolderMeansItsNewestCheckpoint) {
  const ScratchFolder run;
  fs::create_directories(run / "checkpoints");
  fs::copy(kReference / "llama_tied", run / "checkpoints" / "step-000010", fs::copy_options::recursive);
  fs::create_directory_symlink("step-000010", run / "checkpoints" / "latest");
  EXPECT_EQ(load_model(run.path().string()).source.filename(), "step-000010");
}

TEST(LoadModel, MappedWeightsAreEqualAndWritable) {
  const auto mapped = load_model((kReference / "llama_tied").string(), builtin_models(), {.mapped = true});
  const auto copied = load("llama_tied");
  for (const auto& [name, weight] : copied.model->weights())
    EXPECT_TRUE(at::equal(weight, mapped.model->weights().at(name)));
  mapped.model->weights().at("model.norm.weight").fill_(3);
  EXPECT_TRUE(at::equal(load("llama_tied").model->weights().at("model.norm.weight"),
                        copied.model->weights().at("model.norm.weight")));
}

TEST(LoadModel, BaseModelCheckpointsLeaveOutThePrefix) {
  Copy copy("gpt2");
  std::map<std::string, Tensor> renamed;
  const auto file = SafetensorsFile::open(copy.path() / "model.safetensors");
  for (const auto& name : file.names()) renamed[name.substr(std::string("transformer.").size())] = file.tensor(name);
  write_safetensors(copy.path() / "model.safetensors", renamed);
  EXPECT_TRUE(at::equal(load_model(copy.path().string()).model->output_weight(), load("gpt2").model->output_weight()));
}

TEST(SaveHf, KeepsUnknownKeysAndTheTokenizersBytes) {
  Copy copy;
  copy.change("house_key", {1, 2});
  const ScratchFolder out;
  const auto loaded = load_model(copy.path().string());
  save_hf(out / "export", *loaded.model, loaded.text, {.dtype = StoredAs::bf16});
  const auto config = json::parse(read_file(out / "export" / "config.json"));
  EXPECT_EQ(config["house_key"], json({1, 2}));
  EXPECT_EQ(config["dtype"], "bfloat16");
  EXPECT_EQ(config["architectures"], json({"LlamaForCausalLM"}));
  for (const auto* name : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"})
    EXPECT_EQ(read_file(copy.path() / name), read_file(out / "export" / name)) << name;
  const auto file = SafetensorsFile::open(out / "export" / "model.safetensors");
  EXPECT_EQ(file.entry("model.norm.weight").dtype, "BF16");
  EXPECT_FALSE(file.has("lm_head.weight"));
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

TEST(SaveHf, OldGenerationKeyIsUpdatedInPlace) {
  const ScratchFolder out;
  const auto loaded = load("llama_rope_linear");
  save_hf(out / "export", *loaded.model, loaded.text, {.dtype = StoredAs::f16});
  const auto config = json::parse(read_file(out / "export" / "config.json"));
  EXPECT_EQ(config["torch_dtype"], "float16");
  EXPECT_FALSE(config.contains("dtype"));
  EXPECT_TRUE(config.contains("rope_scaling"));
}

TEST(SaveHf, ShardsAndTheirIndex) {
  const ScratchFolder out;
  const auto loaded = load("qwen3");
  save_hf(out.path(), *loaded.model, loaded.text, {.shard_bytes = 30000});
  const auto index = json::parse(read_file(out / "model.safetensors.index.json"));
  EXPECT_FALSE(fs::exists(out / "model.safetensors"));
  EXPECT_EQ(index["weight_map"].size(), loaded.model->weights().size());
  EXPECT_TRUE(at::equal(load_model(out.path().string()).model->output_weight(), loaded.model->output_weight()));
  save_hf(out.path(), *loaded.model, loaded.text);  // a second export leaves nothing of the first
  EXPECT_TRUE(fs::exists(out / "model.safetensors"));
  EXPECT_FALSE(fs::exists(out / "model.safetensors.index.json"));
  EXPECT_FALSE(fs::exists(out / "model-00001-of-00003.safetensors"));
}

TEST(SaveHf, RewardModelAndValueHead) {
  for (const auto* name : {"llama_tied", "llama_untied", "gpt2"}) {
    const ScratchFolder out;
    const auto loaded = load(name);
    auto score = reward_head(32, 4), value = zero_head(32);
    score.bias.fill_(0.25);
    value.bias.fill_(-1);
    save_hf(out.path(), *loaded.model, loaded.text, {.score = score, .value = value});
    const auto config = json::parse(read_file(out / "config.json"));
    EXPECT_THAT(config["architectures"][0].get<std::string>(), HasSubstr("ForSequenceClassification"));
    EXPECT_EQ(config["num_labels"], 1);
    EXPECT_FALSE(SafetensorsFile::open(out / "model.safetensors").has("lm_head.weight"));
    const auto again = load_model(out.path().string());
    ASSERT_TRUE(again.score && again.value);
    EXPECT_TRUE(at::equal(again.score->weight, score.weight));
    EXPECT_TRUE(at::equal(again.score->bias, score.bias));
    EXPECT_TRUE(at::equal(again.value->bias, value.bias));
    const auto ids = pack(std::vector<TokenIds>{{1, 2, 3}});
    EXPECT_TRUE(at::equal(again.model->forward(ids), loaded.model->forward(ids)));
  }
}

TEST(SaveHf, AnAttachedAdapterIsNotLostSilently) {
  const ScratchFolder out;
  const auto loaded = load("llama_tied");
  attach_lora(*loaded.model, {.r = 2}, 1);
  EXPECT_THAT(error_of([&] { save_hf(out.path(), *loaded.model, loaded.text); }).what(), HasSubstr("Merge it first"));
  EXPECT_THAT(error_of([&] { save_gguf(out / "a.gguf", *loaded.model, loaded.text); }).what(),
              HasSubstr("Merge it first"));
}

TEST(SaveGguf, MetadataThatLlamaCppReads) {
  const ScratchFolder out;
  const auto loaded = load("llama_tied");
  save_gguf(out / "a.gguf", *loaded.model, loaded.text, StoredAs::q8_0);
  const auto file = GgufFile::open(out / "a.gguf");
  EXPECT_EQ(file.text("general.architecture"), "llama");
  EXPECT_EQ(file.integer("general.file_type"), 7);
  EXPECT_EQ(file.integer("llama.attention.head_count_kv"), 2);
  EXPECT_EQ(file.integer("llama.rope.dimension_count"), 8);
  EXPECT_EQ(file.text("tokenizer.ggml.model"), "gpt2");
  EXPECT_EQ(file.texts("tokenizer.ggml.tokens")->size(), 264);
  EXPECT_EQ(file.integer("tokenizer.ggml.eos_token_id"), 257);
  EXPECT_THAT(file.text("tokenizer.chat_template").value_or(""), HasSubstr("<|im_start|>"));
  EXPECT_EQ(file.tensors().at("blk.0.attn_q.weight").type, GgmlType::q8_0);
  EXPECT_EQ(file.tensors().at("blk.0.ffn_down.weight").type, GgmlType::f16);  // rows of 48: no multiple of 32
  EXPECT_EQ(file.tensors().at("blk.0.attn_norm.weight").type, GgmlType::f32);
  EXPECT_FALSE(file.tensors().contains("output.weight"));
}

// bos_token_id is left out: GGUF has the tokenizer's, which the tiny GPT-2's config.json contradicts.
TEST(SaveGguf, ConfigComesBack) {
  for (const auto* name :
       {"llama_untied", "llama_rope_llama3", "llama_rope_linear", "qwen2", "qwen3", "mistral", "gpt2"}) {
    const ScratchFolder out;
    const auto loaded = load(name);
    save_gguf(out / "a.gguf", *loaded.model, loaded.text, StoredAs::f32);
    const auto before = loaded.model->config();
    const auto after = config_from_gguf(GgufFile::open(out / "a.gguf"));
    for (const auto* key : {"model_type", "hidden_size", "intermediate_size", "num_key_value_heads", "head_dim",
                            "rms_norm_eps", "vocab_size", "max_position_embeddings", "tie_word_embeddings",
                            "eos_token_id", "sliding_window", "n_positions"})
      if (before.contains(key) && !before[key].is_null()) {
        EXPECT_EQ(before[key], after.value(key, json())) << name << " " << key;
      }
  }
}

TEST(SaveGguf, TextSurvives) {
  const ScratchFolder out;
  const auto loaded = load("llama_tied");
  save_gguf(out / "a.gguf", *loaded.model, loaded.text, StoredAs::f16);
  const auto again = load_model((out / "a.gguf").string());
  const std::string text = "Hello, wörld! 123\n";
  EXPECT_EQ(again.text.tokenizer.encode(text), loaded.text.tokenizer.encode(text));
  EXPECT_EQ(again.text.special.stop, loaded.text.special.stop);
  ASSERT_TRUE(again.text.chat);
}

}  // namespace
}  // namespace rlhf::models
