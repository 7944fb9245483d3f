#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "rlhf/models/language_model.h"

namespace rlhf::models {

/// The Llama family (Touvron et al. 2023, arXiv:2302.13971): RMS norm, rotary positions, grouped-query attention, SwiGLU.
/// Its members differ in settings read from config.json:
///   llama, smollm   the plain form; rope scaling llama3 for Llama 3.1 and later
///   mistral         sliding_window
///   qwen2           biases on queries, keys and values; sliding window only where use_sliding_window says so
///   qwen3           RMS norm of each query and key head
/// Throws rlhf::Error when the config lacks a key or a tensor is missing or has the wrong shape.
std::unique_ptr<LanguageModel> make_llama(const nlohmann::json& config, const WeightSource& weights);

}  // namespace rlhf::models
