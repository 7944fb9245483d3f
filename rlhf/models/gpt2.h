#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "rlhf/models/language_model.h"

namespace rlhf::models {

/// GPT-2 (Radford et al. 2019): learned positions, LayerNorm before each block, GELU (tanh form), tied head.
/// Its checkpoints store linear layers as [in, out]; they are turned on reading and turned back on writing.
std::unique_ptr<LanguageModel> make_gpt2(const nlohmann::json& config, const WeightSource& weights);

}  // namespace rlhf::models
