#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rlhf/models/gguf.h"
#include "rlhf/text/gguf_tokenizer.h"

namespace rlhf::models {

/// general.architecture of a config.json's model_type ("mistral" is written as "llama"); nothing for one that isn't
/// known.
std::optional<std::string> gguf_architecture(const std::string& model_type);

/// The config.json that a GGUF file's metadata amounts to: llama, mistral, qwen2, qwen3, gpt2.
/// Throws rlhf::Error (bad_data) for another architecture, a missing key, or a rope_freqs tensor that is no known
/// scaling.
nlohmann::json config_from_gguf(const GgufFile& file);

/// `tokenizer.*` as it stands.
text::GgufTokenizer tokenizer_from_gguf(const GgufFile& file);

/// The same backwards: `<architecture>.*` keys in the order in which they are written.
/// Throws rlhf::Error (usage) for a model that GGUF, as llama.cpp reads it, cannot hold.
std::vector<std::pair<std::string, GgufValue>> gguf_keys_of(const nlohmann::json& config);

/// Divisors of the rotary frequencies (tensor rope_freqs.weight) of a config with Llama 3.1's scaling; empty without
/// it.
std::vector<float> rope_factors(const nlohmann::json& config);

}  // namespace rlhf::models
