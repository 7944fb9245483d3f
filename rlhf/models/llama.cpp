#include "rlhf/models/llama.h"

#include <ATen/ops/add.h>
#include <ATen/ops/embedding.h>

#include <string>

#include "rlhf/models/attention.h"
#include "rlhf/models/detail/config_keys.h"
#include "rlhf/models/recompute.h"
#include "rlhf/models/rms_norm.h"
#include "rlhf/models/rotary.h"
#include "rlhf/models/swiglu.h"

namespace rlhf::models {
namespace {

using nlohmann::json;

struct Layer {
  Tensor input_norm, post_norm;        // [width]
  Tensor query_norm, key_norm;         // [head_dim], qwen3 only
  Linear queries, keys, values, output;
  Linear gate, up, down;
  std::int64_t window = 0;             // 0 = sees all
};

/// The name of each tensor of one layer, in one place for reading, writing and LoRA.
template <class OnTensor, class OnLinear>
void visit(Layer& layer, const std::string& prefix, const OnTensor& tensor, const OnLinear& linear) {
  tensor(prefix + "input_layernorm.weight", layer.input_norm);
  linear(prefix + "self_attn.q_proj", layer.queries);
  linear(prefix + "self_attn.k_proj", layer.keys);
  linear(prefix + "self_attn.v_proj", layer.values);
  linear(prefix + "self_attn.o_proj", layer.output);
  tensor(prefix + "self_attn.q_norm.weight", layer.query_norm);
  tensor(prefix + "self_attn.k_norm.weight", layer.key_norm);
  tensor(prefix + "post_attention_layernorm.weight", layer.post_norm);
  linear(prefix + "mlp.gate_proj", layer.gate);
  linear(prefix + "mlp.up_proj", layer.up);
  linear(prefix + "mlp.down_proj", layer.down);
}

class Llama final : public LanguageModel {
 public:
  Llama(const json& config, const WeightSource& source) : config_(config), keys_(config) {
    read_shape();
    load(source);
  }

  const Shape& shape() const override { return shape_; }
  const json& config() const override { return config_; }
  const Tensor& output_weight() const override { return tied_ ? embedding_ : head_; }

  Tensor forward(const Batch& batch, const ForwardOptions& options) const override {
    const auto rotary = rotary_.at(batch.positions);
    auto hidden = at::embedding(embedding_, batch.ids);
    const auto depth = options.layers < 0 ? shape_.layers : options.layers;
    for (std::int64_t i = 0; i < depth; ++i) {
      const auto layer = [this, i, rotary, starts = batch.starts, cache = options.cache,
                          adapters = options.adapters](const Tensor& input) {
        return run_layer(i, input, rotary, starts, cache, adapters);
      };
      hidden = options.checkpoint ? recompute(layer, hidden) : layer(hidden);
    }
    if (options.cache != nullptr) options.cache->advance(batch.starts);
    return options.layers < 0 ? rms_norm(hidden, final_norm_, epsilon_) : hidden;
  }

  std::map<std::string, Tensor> weights() const override {
    std::map<std::string, Tensor> all{{"model.embed_tokens.weight", embedding_}, {"model.norm.weight", final_norm_}};
    if (!tied_) all["lm_head.weight"] = head_;
    each([&](const std::string& name, Tensor& tensor) { if (tensor.defined()) all[name] = tensor; },
         [&](const std::string& path, Linear& linear) {
           all[path + ".weight"] = linear.weight;
           if (linear.bias.defined()) all[path + ".bias"] = linear.bias;
         });
    return all;
  }

  std::map<std::string, Linear*> linears() override {
    std::map<std::string, Linear*> all;
    each([](const std::string&, Tensor&) {}, [&](const std::string& path, Linear& linear) { all[path] = &linear; });
    return all;
  }

 private:
  template <class OnTensor, class OnLinear>
  void each(const OnTensor& tensor, const OnLinear& linear) const {
    for (std::int64_t i = 0; i < shape_.layers; ++i) {
      visit(layers_[i], "model.layers." + std::to_string(i) + ".", tensor, linear);
    }
  }

  void read_shape() {
    shape_ = {.family = keys_.text("model_type"),
              .layers = keys_.integer("num_hidden_layers"),
              .width = keys_.integer("hidden_size"),
              .heads = keys_.integer("num_attention_heads"),
              .vocabulary = keys_.integer("vocab_size"),
              .context = keys_.integer("max_position_embeddings")};
    shape_.kv_heads = keys_.integer("num_key_value_heads", shape_.heads);
    shape_.head_dim = keys_.integer("head_dim", shape_.width / shape_.heads);
    inner_ = keys_.integer("intermediate_size");
    epsilon_ = keys_.number("rms_norm_eps", 1e-6);
    tied_ = keys_.flag("tie_word_embeddings", false);
    keys_.require("hidden_act", {"silu"}, "silu");
    keys_.require_divides("num_attention_heads", shape_.heads, "num_key_value_heads", shape_.kv_heads);
    rotary_ = Rotary::from_config(config_, shape_.head_dim);
  }

  void load(const WeightSource& source) {
    const TensorReader read{source};
    const bool qwen2 = shape_.family == "qwen2", qwen3 = shape_.family == "qwen3";
    const bool attention_bias = keys_.flag("attention_bias", qwen2), mlp_bias = keys_.flag("mlp_bias", false);
    const auto queries = shape_.heads * shape_.head_dim, keys = shape_.kv_heads * shape_.head_dim, width = shape_.width;
    embedding_ = read.tensor("model.embed_tokens.weight", {shape_.vocabulary, width});
    final_norm_ = read.tensor("model.norm.weight", {width});
    if (!tied_) head_ = read.tensor("lm_head.weight", {shape_.vocabulary, width});
    layers_.resize(shape_.layers);
    for (std::int64_t i = 0; i < shape_.layers; ++i) {
      const auto prefix = "model.layers." + std::to_string(i) + ".", attention = prefix + "self_attn.", mlp = prefix + "mlp.";
      layers_[i] = {.input_norm = read.tensor(prefix + "input_layernorm.weight", {width}),
                    .post_norm = read.tensor(prefix + "post_attention_layernorm.weight", {width}),
                    .query_norm = qwen3 ? read.tensor(attention + "q_norm.weight", {shape_.head_dim}) : Tensor(),
                    .key_norm = qwen3 ? read.tensor(attention + "k_norm.weight", {shape_.head_dim}) : Tensor(),
                    .queries = read.linear(attention + "q_proj", queries, width, attention_bias),
                    .keys = read.linear(attention + "k_proj", keys, width, attention_bias),
                    .values = read.linear(attention + "v_proj", keys, width, attention_bias),
                    .output = read.linear(attention + "o_proj", width, queries, attention_bias && !qwen2),
                    .gate = read.linear(mlp + "gate_proj", inner_, width, mlp_bias),
                    .up = read.linear(mlp + "up_proj", inner_, width, mlp_bias),
                    .down = read.linear(mlp + "down_proj", width, inner_, mlp_bias),
                    .window = keys_.sliding_window(i, shape_.family)};
    }
  }

  Tensor run_layer(std::int64_t index, const Tensor& input, const RotaryTable& rotary,
                   const std::vector<std::int64_t>& starts, KvCache* cache, bool adapters) const {
    const auto& layer = layers_[index];
    const bool decoding = cache != nullptr;
    const auto normed = rms_norm(input, layer.input_norm, epsilon_);
    const AttentionInput attended{.queries = split_heads(layer.queries.apply(normed, adapters, decoding), layer.query_norm),
                                  .keys = split_heads(layer.keys.apply(normed, adapters, decoding), layer.key_norm),
                                  .values = split_heads(layer.values.apply(normed, adapters, decoding), {})};
    const auto mixed = cache == nullptr ? attention(attended, rotary, starts, layer.window)
                                        : cached_attention(attended, rotary, starts, layer.window, *cache, index);
    const auto middle = at::add(input, layer.output.apply(mixed, adapters, decoding));
    const auto normed_middle = rms_norm(middle, layer.post_norm, epsilon_);
    const auto activated = swiglu(layer.gate.apply(normed_middle, adapters, decoding), layer.up.apply(normed_middle, adapters, decoding));
    return at::add(middle, layer.down.apply(activated, adapters, decoding));
  }

  Tensor split_heads(const Tensor& rows, const Tensor& norm) const {
    const auto heads = rows.view({rows.size(0), -1, shape_.head_dim});
    return norm.defined() ? rms_norm(heads, norm, epsilon_) : heads;
  }

  json config_;
  ConfigKeys keys_;
  Shape shape_;
  std::int64_t inner_ = 0;
  double epsilon_ = 0;
  bool tied_ = false;
  Rotary rotary_;
  Tensor embedding_, final_norm_, head_;
  mutable std::vector<Layer> layers_;  // mutable: one visitor serves reading and changing; forward never writes
};

}  // namespace

std::unique_ptr<LanguageModel> make_llama(const json& config, const WeightSource& weights) {
  return std::make_unique<Llama>(config, weights);
}

}  // namespace rlhf::models
