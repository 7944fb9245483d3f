#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "rlhf/core/fields.h"
#include "rlhf/core/tensor.h"
#include "rlhf/models/language_model.h"

namespace rlhf::models {

/// Names and defaults follow PEFT's adapter_config.json.
struct LoraConfig {
  std::int64_t r = 16;                    // rank
  double alpha = 32;                      // lora_alpha; the update is scaled by alpha / r
  bool rslora = false;                    // use_rslora: scale by alpha / sqrt(r) instead
  std::vector<std::string> target_modules = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};

  void fields(Fields& f);
};

/// Attaches a fresh adapter (A from a Kaiming-uniform distribution keyed by `seed`, B zero) to each matching layer.
/// A name matches a layer whose path ends with it. Returns the number of layers; throws when none matches.
std::int64_t attach_lora(LanguageModel& model, const LoraConfig& config, std::uint64_t seed);

/// The adapter's tensors in a fixed order, for the optimiser: "<path>.lora_A.weight" and "<path>.lora_B.weight".
std::vector<std::pair<std::string, Tensor>> lora_parameters(LanguageModel& model);

/// Folds each adapter into its layer's weight in float32 and removes it. Returns the largest change of any weight, relative
/// to that weight's norm; throws rlhf::Error when nothing would change.
double merge_lora(LanguageModel& model);

}  // namespace rlhf::models
