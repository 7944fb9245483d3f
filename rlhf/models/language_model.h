#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/core/tensor.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/kv_cache.h"
#include "rlhf/models/linear.h"

namespace rlhf::models {

/// The shape of a model, as every module but the model's own file needs it.
struct Shape {
  std::string family;  // config.json's model_type: llama, mistral, qwen2, qwen3, gpt2
  std::int64_t layers = 0, width = 0, heads = 0, kv_heads = 0, head_dim = 0, vocabulary = 0, context = 0;
};

struct ForwardOptions {
  KvCache* cache = nullptr;      // continue cached sequences; only without gradients
  bool adapters = true;          // false: as if no LoRA adapter were attached (the reference policy)
  std::int64_t layers = -1;      // stop after this many layers (frozen features); -1 = all, then the final norm
  bool checkpoint = false;       // recompute each layer in the backward pass instead of keeping its activations
};

/// A decoder-only transformer: one forward for training, scoring and cached decoding. Heads are separate functions.
class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  virtual const Shape& shape() const = 0;

  /// Hidden states [tokens, width] after the final norm (or raw, after `options.layers` layers).
  virtual Tensor forward(const Batch& batch, const ForwardOptions& options = {}) const = 0;

  /// The LM head [vocabulary, width]; the token embedding itself where the head is tied.
  virtual const Tensor& output_weight() const = 0;

  /// Every weight under its Hugging Face name ("model.layers.0.self_attn.q_proj.weight"); a tied head is left out.
  virtual std::map<std::string, Tensor> weights() const = 0;

  /// Every linear layer under its Hugging Face module path ("model.layers.0.self_attn.q_proj"), for LoRA and merging.
  virtual std::map<std::string, Linear*> linears() = 0;

  /// The source's config.json, unknown keys included; what is written back on export.
  virtual const nlohmann::json& config() const = 0;
};

/// Where a model's weights come from: asked once for each Hugging Face name; throws rlhf::Error if it has no such tensor.
struct WeightSource {
  std::function<Tensor(const std::string& name)> tensor;       // float32, of the stored shape
  std::function<bool(const std::string& name)> has;
  std::function<Tensor(const std::string& name, const std::vector<std::int64_t>& shape)> make;  // for weights that no file has
};

/// Families by config.json's model_type. A user's program adds its own entries and passes the table on.
using ModelTable =
    std::map<std::string, std::function<std::unique_ptr<LanguageModel>(const nlohmann::json& config, const WeightSource&)>>;
ModelTable builtin_models();

}  // namespace rlhf::models
