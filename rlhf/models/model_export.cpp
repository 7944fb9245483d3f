// save_hf and save_gguf of model_files.h.
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/models/adapter_files.h"
#include "rlhf/models/gguf_config.h"
#include "rlhf/models/gguf_names.h"
#include "rlhf/models/gguf_writer.h"
#include "rlhf/models/hf_folder.h"
#include "rlhf/models/model_files.h"

namespace rlhf::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void refuse_adapter(LanguageModel& model, const char* function) {
  for (const auto& [path, layer] : model.linears())
    if (layer->lora)
      throw Error({.category = Category::usage,
                   .where = function,
                   .what = "the model carries an adapter, which this format would lose",
                   .fix = "Merge it first (merge_lora), or write it with save_adapter."});
}

/// "LlamaFor", "GPT2": what the class names of a family start with.
std::pair<std::string, std::string> class_names(const std::string& model_type) {
  if (model_type == "gpt2") return {"GPT2LMHeadModel", "GPT2ForSequenceClassification"};
  static const std::map<std::string, std::string> names = {
      {"llama", "Llama"}, {"mistral", "Mistral"}, {"qwen2", "Qwen2"}, {"qwen3", "Qwen3"}};
  const auto found = names.find(model_type);
  if (found == names.end()) return {};
  return {found->second + "ForCausalLM", found->second + "ForSequenceClassification"};
}

const char* torch_name(StoredAs dtype) {
  switch (dtype) {
    case StoredAs::f16:
      return "float16";
    case StoredAs::bf16:
      return "bfloat16";
    default:
      return "float32";
  }
}

std::optional<TokenId> padding_of(const text::TextBundle& text) {
  if (text.special.pad) return text.special.pad;
  return text.special.stop.empty() ? std::nullopt : std::optional(text.special.stop.front());
}

json config_to_save(const LanguageModel& model, const text::TextBundle& text, const SaveOptions& options) {
  auto config = model.config();
  const bool old_generation = config.contains("torch_dtype");
  config[old_generation ? "torch_dtype" : "dtype"] = torch_name(options.dtype);
  const auto [causal, classifier] = class_names(model.shape().family);
  if (!causal.empty()) config["architectures"] = json::array({options.score ? classifier : causal});
  if (options.score) {
    config["num_labels"] = 1;
    config["id2label"] = {{"0", "LABEL_0"}};
    config["label2id"] = {{"LABEL_0", 0}};
    // transformers finds a sequence's last token by its padding; without the key it refuses batches.
    const auto padding = padding_of(text);
    if ((!config.contains("pad_token_id") || config["pad_token_id"].is_null()) && padding)
      config["pad_token_id"] = *padding;
  } else {
    for (const auto* key : {"num_labels", "id2label", "label2id"}) config.erase(key);
  }
  return config;
}

Tensor stored(const std::string& name, const Tensor& weight, StoredAs dtype) {
  const auto plain = weight.detach();
  if (dtype == StoredAs::f32) return plain.to(at::kFloat);
  if (dtype == StoredAs::bf16) return plain.to(at::kBFloat16);
  const auto half = plain.to(at::kHalf);
  if (at::isfinite(half).all().item<bool>()) return half;
  throw Error({.category = Category::check,
               .where = name,
               .what = "some weights are too large for float16",
               .fix = "Export with --dtype bf16 or f32."});
}

std::map<std::string, Tensor> weights_to_save(const LanguageModel& model, const SaveOptions& options) {
  std::map<std::string, Tensor> all;
  for (const auto& [name, weight] : model.weights()) {
    if (options.score && name == "lm_head.weight") continue;
    all[name] = stored(name, weight, options.dtype);
  }
  if (!options.score) return all;
  // In float32 whatever the model is stored as: 2 KiB that decide every score. transformers has no bias; it says so on
  // loading.
  all["score.weight"] = options.score->weight.detach().to(at::kFloat);
  if (options.score->bias.defined() && options.score->bias.count_nonzero().item<std::int64_t>() > 0)
    all["score.bias"] = options.score->bias.detach().to(at::kFloat);
  return all;
}

json generation_config(const text::TextBundle& text) {
  json config = json::object();
  if (text.special.bos) config["bos_token_id"] = *text.special.bos;
  if (text.special.pad) config["pad_token_id"] = *text.special.pad;
  if (text.special.stop.size() == 1) config["eos_token_id"] = text.special.stop.front();
  if (text.special.stop.size() > 1) config["eos_token_id"] = text.special.stop;
  return config;
}

GgufValue whole(std::int64_t number) { return {static_cast<std::uint64_t>(number)}; }

template <class T, class Make>
GgufValue list(const std::vector<T>& items, Make make) {
  GgufValue::Array all;
  for (const auto& item : items) all.push_back(make(item));
  return {std::move(all)};
}

void add_tokenizer(const text::GgufTokenizer& tokenizer, std::vector<std::pair<std::string, GgufValue>>& keys) {
  const auto add = [&](const std::string& name, GgufValue value) {
    keys.emplace_back("tokenizer." + name, std::move(value));
  };
  const auto as_text = [](const std::string& item) { return GgufValue{item}; };
  add("ggml.model", {tokenizer.model});
  if (!tokenizer.pre.empty()) add("ggml.pre", {tokenizer.pre});
  add("ggml.tokens", list(tokenizer.tokens, as_text));
  if (!tokenizer.token_types.empty())
    add("ggml.token_type",
        list(tokenizer.token_types, [](std::int32_t type) { return GgufValue{std::int64_t{type}}; }));
  if (!tokenizer.scores.empty())
    add("ggml.scores", list(tokenizer.scores, [](float score) { return GgufValue{double{score}}; }));
  if (!tokenizer.merges.empty()) add("ggml.merges", list(tokenizer.merges, as_text));
  if (tokenizer.bos) add("ggml.bos_token_id", whole(*tokenizer.bos));
  if (tokenizer.eos) add("ggml.eos_token_id", whole(*tokenizer.eos));
  if (tokenizer.eot) add("ggml.eot_token_id", whole(*tokenizer.eot));
  if (tokenizer.unk) add("ggml.unknown_token_id", whole(*tokenizer.unk));
  if (tokenizer.pad) add("ggml.padding_token_id", whole(*tokenizer.pad));
  if (tokenizer.add_bos) add("ggml.add_bos_token", {*tokenizer.add_bos});
  if (tokenizer.add_eos) add("ggml.add_eos_token", {*tokenizer.add_eos});
  if (tokenizer.add_space_prefix) add("ggml.add_space_prefix", {*tokenizer.add_space_prefix});
  if (!tokenizer.chat_template.empty()) add("chat_template", {tokenizer.chat_template});
}

struct GgufDtype {
  GgmlType type;
  std::int64_t file_type;  // general.file_type
};

GgufDtype gguf_dtype(StoredAs dtype) {
  switch (dtype) {
    case StoredAs::f32:
      return {GgmlType::f32, 0};
    case StoredAs::f16:
      return {GgmlType::f16, 1};
    case StoredAs::q8_0:
      return {GgmlType::q8_0, 7};
    case StoredAs::bf16:
      break;
  }
  return {GgmlType::bf16, 32};
}

/// GGUF lists one row for each token; spare rows of the embedding get names nobody writes.
void pad_vocabulary(text::GgufTokenizer& tokenizer, std::int64_t rows) {
  for (auto id = static_cast<std::int64_t>(tokenizer.tokens.size()); id < rows; ++id) {
    tokenizer.tokens.push_back("[PAD" + std::to_string(id) + "]");
    if (!tokenizer.token_types.empty()) tokenizer.token_types.push_back(5);  // unused
    if (!tokenizer.scores.empty()) tokenizer.scores.push_back(-1e30f);
  }
}

}  // namespace

StoredAs stored_as(std::string_view name) {
  if (name == "f32" || name == "float32") return StoredAs::f32;
  if (name == "f16" || name == "float16") return StoredAs::f16;
  if (name == "bf16" || name == "bfloat16") return StoredAs::bf16;
  if (name == "q8_0") return StoredAs::q8_0;
  throw Error({.category = Category::usage,
               .where = "dtype",
               .what = fmt::format("'{}' is not a type for weights", name),
               .fix = "Use f32, f16, bf16 or q8_0."});
}

void save_hf(const fs::path& folder, LanguageModel& model, const text::TextBundle& text, const SaveOptions& options) {
  refuse_adapter(model, "save_hf");
  if (options.dtype == StoredAs::q8_0)
    throw Error({.category = Category::usage,
                 .where = "save_hf",
                 .what = "q8_0 is a type of GGUF files",
                 .fix = "Use --to gguf, or --dtype f32, f16 or bf16."});
  make_folder(folder);
  write_weights(folder, weights_to_save(model, options), options.shard_bytes);
  if (options.value) save_value_head(folder, *options.value);
  for (const auto& [name, bytes] : text.files) write_file_atomic(folder / name, bytes);
  if (!text.files.contains("generation_config.json") && !options.score)
    write_file_atomic(folder / "generation_config.json", generation_config(text).dump(2) + "\n");
  write_file_atomic(folder / "config.json", config_to_save(model, text, options).dump(2) + "\n");
}

void save_gguf(const fs::path& file, LanguageModel& model, const text::TextBundle& text, StoredAs dtype) {
  refuse_adapter(model, "save_gguf");
  const auto& config = model.config();
  const auto [type, file_type] = gguf_dtype(dtype);
  GgufContents contents;
  const auto architecture_keys = gguf_keys_of(config);  // also refuses what cannot be written
  const auto architecture = *gguf_architecture(model.shape().family);
  contents.metadata = {{"general.architecture", {architecture}},
                       {"general.type", {std::string("model")}},
                       {"general.name", {file.stem().string()}},
                       {"general.file_type", whole(file_type)},
                       {"general.quantization_version", whole(2)}};
  contents.metadata.insert(contents.metadata.end(), architecture_keys.begin(), architecture_keys.end());
  auto tokenizer = text.to_gguf_metadata();
  pad_vocabulary(tokenizer, model.shape().vocabulary);
  add_tokenizer(tokenizer, contents.metadata);

  for (const auto& [name, weight] : model.weights()) {
    const auto stored_name = gguf_name(name);
    if (!stored_name)
      throw Error({.category = Category::usage,
                   .where = "save_gguf",
                   .what = "the weight '" + name + "' has no name in GGUF files",
                   .fix = "Export to a Hugging Face folder instead: --to hf."});
    const auto laid_out =
        to_gguf_layout(architecture, name, weight.detach(), model.shape().heads, model.shape().kv_heads);
    const bool position = *stored_name == "position_embd.weight";  // llama.cpp reads it as F32 only
    contents.tensors.push_back({*stored_name, laid_out, position ? GgmlType::f32 : stored_type(laid_out, type)});
  }
  if (auto factors = rope_factors(config); !factors.empty()) {
    const auto count = static_cast<std::int64_t>(factors.size());
    contents.tensors.push_back(
        {"rope_freqs.weight", at::from_blob(factors.data(), {count}, at::kFloat).clone(), GgmlType::f32});
  }
  write_gguf(file, contents);
}

}  // namespace rlhf::models
