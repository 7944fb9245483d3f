#pragma once
#include <ATen/ATen.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/models/language_model.h"

namespace rlhf::models {

/// A config.json of a two-layer model with grouped-query attention; `extra` is merged in.
inline nlohmann::json tiny_config(const std::string& family, const nlohmann::json& extra = nlohmann::json::object()) {
  nlohmann::json config = {{"model_type", family},        {"num_hidden_layers", 2}, {"hidden_size", 32},
                           {"num_attention_heads", 4},    {"num_key_value_heads", 2}, {"intermediate_size", 48},
                           {"vocab_size", 61},            {"max_position_embeddings", 128},
                           {"tie_word_embeddings", true}, {"rms_norm_eps", 1e-5}};
  if (family == "gpt2") {
    config = {{"model_type", "gpt2"}, {"n_layer", 2}, {"n_embd", 32}, {"n_head", 4}, {"vocab_size", 61}, {"n_positions", 128}};
  }
  config.merge_patch(extra);
  return config;
}

/// Random weights of whatever shape the model asks for, keyed by name so that two models of one seed are equal.
inline std::unique_ptr<LanguageModel> tiny_model(const nlohmann::json& config, std::int64_t seed = 1) {
  const auto shape_of = [&](const std::string& name) -> std::vector<std::int64_t> {
    const auto ends = [&](const char* suffix) { return name.ends_with(suffix); };
    if (config["model_type"] == "gpt2") {
      if (ends("wte.weight")) return {61, 32};
      if (ends("wpe.weight")) return {128, 32};
      if (ends("c_attn.weight")) return {32, 96};
      if (ends("c_attn.bias")) return {96};
      if (ends("c_fc.weight")) return {32, 128};
      if (ends("c_fc.bias")) return {128};
      if (ends("mlp.c_proj.weight")) return {128, 32};
      if (ends("attn.c_proj.weight")) return {32, 32};
      return {32};
    }
    if (ends("embed_tokens.weight") || ends("lm_head.weight")) return {61, 32};
    if (ends("q_proj.weight") || ends("o_proj.weight")) return {32, 32};
    if (ends("k_proj.weight") || ends("v_proj.weight")) return {16, 32};
    if (ends("gate_proj.weight") || ends("up_proj.weight")) return {48, 32};
    if (ends("down_proj.weight")) return {32, 48};
    if (ends("q_norm.weight") || ends("k_norm.weight")) return {8};
    if (ends("k_proj.bias") || ends("v_proj.bias")) return {16};
    return {32};
  };
  const WeightSource source{
      .tensor =
          [&](const std::string& name) {
            at::manual_seed(seed * 1000003 + static_cast<std::int64_t>(std::hash<std::string>{}(name) % 1000003));
            const auto values = at::randn(shape_of(name)).mul(0.2);
            return name.find("norm") != std::string::npos || name.find("ln_") != std::string::npos ? values.add(1.0) : values;
          },
      .has = [](const std::string& name) { return name.starts_with("transformer.") || name.starts_with("model."); }};
  return builtin_models().at(config["model_type"])(config, source);
}

}  // namespace rlhf::models
