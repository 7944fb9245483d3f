#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/models/lora.h"

namespace rlhf::app {

/// The sizes that memory depends on, read from a config.json alone: no weight is loaded.
struct ModelSize {
  std::int64_t layers = 0, width = 0, heads = 0, kv_heads = 0, head_dim = 0, inner = 0, vocabulary = 0;
  std::int64_t parameters = 0;
  struct Layer {
    std::string name;  // "q_proj"
    std::int64_t in = 0, out = 0;
  };
  std::vector<Layer> linears;              // of one block
  std::int64_t activations_per_token = 0;  // floats of one block kept for the backward pass
};

/// Throws rlhf::Error (bad_data) for a family that is not llama-like or GPT-2.
ModelSize model_size(const nlohmann::json& config);

struct TrainingShape {
  std::string algorithm = "sft";    // sft, reward_model, dpo, ppo, grpo
  bool lora = true;                 // train an adapter; false: every weight
  models::LoraConfig adapter;
  std::int64_t micro_tokens = 4096; // tokens of one forward and backward pass
  bool recompute = false;           // forward activations are made again in the backward pass
  std::int64_t slots = 64;          // sequences decoded at once (ppo, grpo)
  std::int64_t sequence = 512;      // prompt and completion, tokens (ppo, grpo)
};

struct MemoryPart {
  std::string name;
  std::int64_t bytes = 0;
  std::string why;
};

/// What training needs, largest effects first named; the sum is the peak.
std::vector<MemoryPart> memory_plan(const ModelSize& model, const TrainingShape& training);

std::int64_t trainable_parameters(const ModelSize& model, const TrainingShape& training);

}  // namespace rlhf::app
