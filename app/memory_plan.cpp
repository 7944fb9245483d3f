#include "app/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "rlhf/core/error.h"

namespace rlhf::app {
namespace {

using nlohmann::json;

constexpr std::int64_t float_bytes = 4;

bool flag(const json& config, const char* key, bool otherwise) {
  return config.contains(key) && config[key].is_boolean() ? config[key].get<bool>() : otherwise;
}

std::int64_t number(const json& config, const char* key, std::int64_t otherwise) {
  return config.contains(key) && config[key].is_number() ? config[key].get<std::int64_t>() : otherwise;
}

ModelSize gpt2_size(const json& config) {
  ModelSize size;
  size.layers = config.at("n_layer");
  size.width = config.at("n_embd");
  size.heads = size.kv_heads = config.at("n_head");
  size.head_dim = size.width / size.heads;
  size.inner = number(config, "n_inner", 4 * size.width);
  size.vocabulary = config.at("vocab_size");
  const auto w = size.width;
  size.linears = {{"c_attn", w, 3 * w}, {"c_proj", w, w}, {"c_fc", w, size.inner}, {"c_proj", size.inner, w}};
  size.parameters = (size.vocabulary + number(config, "n_positions", 1024)) * w + 2 * w;
  for (const auto& linear : size.linears) size.parameters += size.layers * (linear.in + 1) * linear.out;
  size.parameters += size.layers * 4 * w;  // two LayerNorms
  size.activations_per_token = 8 * w + 2 * size.inner;
  return size;
}

ModelSize llama_size(const json& config) {
  ModelSize size;
  size.layers = config.at("num_hidden_layers");
  size.width = config.at("hidden_size");
  size.heads = config.at("num_attention_heads");
  size.kv_heads = number(config, "num_key_value_heads", size.heads);
  size.head_dim = number(config, "head_dim", size.width / size.heads);
  size.inner = config.at("intermediate_size");
  size.vocabulary = config.at("vocab_size");
  const auto family = config.value("model_type", "");
  const auto w = size.width, queries = size.heads * size.head_dim, keys = size.kv_heads * size.head_dim;
  size.linears = {{"q_proj", w, queries}, {"k_proj", w, keys}, {"v_proj", w, keys}, {"o_proj", queries, w},
                  {"gate_proj", w, size.inner}, {"up_proj", w, size.inner}, {"down_proj", size.inner, w}};
  const bool attention_bias = flag(config, "attention_bias", false);
  std::int64_t block = 2 * w;  // norms
  for (const auto& linear : size.linears) block += linear.in * linear.out;
  if (attention_bias || family == "qwen2") block += queries + 2 * keys;
  if (attention_bias) block += w;
  if (flag(config, "mlp_bias", false)) block += 2 * size.inner + w;
  if (family == "qwen3") block += 2 * size.head_dim;
  size.parameters = size.layers * block + w + size.vocabulary * w * (flag(config, "tie_word_embeddings", false) ? 1 : 2);
  // Inputs and outputs of the two norms, rotated queries and keys, values, attention's output, gate, up and their product.
  size.activations_per_token = 4 * w + 2 * queries + 2 * keys + 3 * size.inner;
  return size;
}

}  // namespace

ModelSize model_size(const json& config) {
  const auto family = config.value("model_type", "");
  try {
    if (family == "gpt2") return gpt2_size(config);
    if (config.contains("num_key_value_heads") || family == "llama" || family == "mistral") return llama_size(config);
  } catch (const json::exception&) {
    throw Error({.category = Category::bad_data, .where = "config.json", .what = "lacks a size that this family needs"});
  }
  throw Error({.category = Category::bad_data,
               .where = "config.json",
               .what = fmt::format("has model_type \"{}\", whose size is not known", family),
               .fix = "Known are llama, mistral, qwen2, qwen3 and gpt2."});
}

std::int64_t trainable_parameters(const ModelSize& model, const TrainingShape& training) {
  if (!training.lora) return model.parameters;
  const auto& targets = training.adapter.target_modules;
  std::int64_t count = 0;
  for (const auto& linear : model.linears) {
    if (std::find(targets.begin(), targets.end(), linear.name) != targets.end()) {
      count += model.layers * training.adapter.r * (linear.in + linear.out);
    }
  }
  return count;
}

std::vector<MemoryPart> memory_plan(const ModelSize& model, const TrainingShape& training) {
  const bool samples = training.algorithm == "ppo" || training.algorithm == "grpo";
  const bool compares = samples || training.algorithm == "dpo";
  const auto trainable = trainable_parameters(model, training);
  const auto block = training.micro_tokens * model.activations_per_token * float_bytes;
  const auto inputs = training.micro_tokens * model.width * model.layers * float_bytes;
  std::vector<MemoryPart> parts;
  parts.push_back({"weights", model.parameters * float_bytes, fmt::format("{} parameters as float32", model.parameters)});
  if (compares && !training.lora) {
    parts.push_back({"reference", model.parameters * float_bytes, "a copy of the weights; with an adapter it is the same trunk, adapter off"});
  }
  parts.push_back({"gradients", trainable * float_bytes, fmt::format("of {} trained parameters", trainable)});
  parts.push_back({"optimiser", 2 * trainable * float_bytes, "two moments of Adam"});
  parts.push_back({"activations", training.recompute ? inputs + block : (model.layers + 1) * block,
                   training.recompute ? "one block, and the input of each" : fmt::format("of {} tokens in every block", training.micro_tokens)});
  parts.push_back({"logits", std::int64_t{32} << 20, "one chunk, forward and backward"});
  if (samples) {
    parts.push_back({"cache", 2 * model.layers * model.kv_heads * model.head_dim * training.slots * training.sequence * float_bytes,
                     fmt::format("keys and values of {} sequences of {} tokens", training.slots, training.sequence)});
    parts.push_back({"sampling", training.slots * model.vocabulary * float_bytes, "logits of one decoding step"});
  }
  parts.push_back({"program", std::int64_t{200} << 20, "the program and its libraries"});
  return parts;
}

}  // namespace rlhf::app
