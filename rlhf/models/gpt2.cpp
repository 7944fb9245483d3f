#include "rlhf/models/gpt2.h"

#include <ATen/ops/add.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>

#include <string>

#include "rlhf/core/error.h"
#include "rlhf/models/attention.h"
#include "rlhf/models/detail/config_keys.h"
#include "rlhf/models/recompute.h"

namespace rlhf::models {
namespace {

using nlohmann::json;

struct Norm {
  Tensor weight, bias;  // [width]
};

struct Layer {
  Norm before_attention, before_mlp;
  Linear query_key_value, projection, up, down;
};

class Gpt2 final : public LanguageModel {
 public:
  Gpt2(const json& config, const WeightSource& source) : config_(config), keys_(config) {
    read_shape();
    load(source);
  }

  const Shape& shape() const override { return shape_; }
  const json& config() const override { return config_; }
  const Tensor& output_weight() const override { return embedding_; }

  Tensor forward(const Batch& batch, const ForwardOptions& options) const override {
    auto hidden = at::add(at::embedding(embedding_, batch.ids), at::embedding(positions_, batch.positions));
    const auto depth = options.layers < 0 ? shape_.layers : options.layers;
    for (std::int64_t i = 0; i < depth; ++i) {
      const auto layer = [this, i, starts = batch.starts, cache = options.cache, adapters = options.adapters](const Tensor& input) {
        return run_layer(i, input, starts, cache, adapters);
      };
      hidden = options.checkpoint ? recompute(layer, hidden) : layer(hidden);
    }
    if (options.cache != nullptr) options.cache->advance(batch.starts);
    return options.layers < 0 ? normalise(hidden, final_norm_) : hidden;
  }

  std::map<std::string, Tensor> weights() const override {
    std::map<std::string, Tensor> all{{"transformer.wte.weight", embedding_}, {"transformer.wpe.weight", positions_}};
    add(all, "transformer.ln_f", final_norm_);
    for (std::int64_t i = 0; i < shape_.layers; ++i) {
      add(all, prefix(i) + "ln_1", layers_[i].before_attention);
      add(all, prefix(i) + "ln_2", layers_[i].before_mlp);
    }
    each([&](const std::string& path, Linear& linear) {
      all[path + ".weight"] = linear.weight.t();
      all[path + ".bias"] = linear.bias;
    });
    return all;
  }

  std::map<std::string, Linear*> linears() override {
    std::map<std::string, Linear*> all;
    each([&](const std::string& path, Linear& linear) { all[path] = &linear; });
    return all;
  }

 private:
  static std::string prefix(std::int64_t layer) { return "transformer.h." + std::to_string(layer) + "."; }

  static void add(std::map<std::string, Tensor>& all, const std::string& name, const Norm& norm) {
    all[name + ".weight"] = norm.weight;
    all[name + ".bias"] = norm.bias;
  }

  template <class OnLinear>
  void each(const OnLinear& visit) const {
    for (std::int64_t i = 0; i < shape_.layers; ++i) {
      visit(prefix(i) + "attn.c_attn", layers_[i].query_key_value);
      visit(prefix(i) + "attn.c_proj", layers_[i].projection);
      visit(prefix(i) + "mlp.c_fc", layers_[i].up);
      visit(prefix(i) + "mlp.c_proj", layers_[i].down);
    }
  }

  void read_shape() {
    shape_ = {.family = keys_.text("model_type"),
              .layers = keys_.integer("n_layer"),
              .width = keys_.integer("n_embd"),
              .heads = keys_.integer("n_head"),
              .vocabulary = keys_.integer("vocab_size"),
              .context = keys_.integer("n_positions")};
    shape_.kv_heads = shape_.heads;
    shape_.head_dim = shape_.width / shape_.heads;
    inner_ = keys_.integer("n_inner", 4 * shape_.width);
    epsilon_ = keys_.number("layer_norm_epsilon", 1e-5);
    keys_.require("activation_function", {"gelu_new", "gelu_pytorch_tanh"}, "gelu_new");
    keys_.require_divides("n_embd", shape_.width, "n_head", shape_.heads);
  }

  void load(const WeightSource& source) {
    const TensorReader read{source};
    const auto width = shape_.width;
    // Published files name the tensors with and without the leading "transformer.".
    const std::string root = source.has("transformer.wte.weight") ? "transformer." : "";
    const auto norm = [&](const std::string& name) {
      return Norm{read.tensor(name + ".weight", {width}), read.tensor(name + ".bias", {width})};
    };
    const auto linear = [&](const std::string& path, std::int64_t out, std::int64_t in) {
      return Linear{.weight = read.tensor(path + ".weight", {in, out}).t().contiguous(),
                    .bias = read.tensor(path + ".bias", {out}),
                    .lora = std::nullopt};
    };
    embedding_ = read.tensor(root + "wte.weight", {shape_.vocabulary, width});
    positions_ = read.tensor(root + "wpe.weight", {shape_.context, width});
    final_norm_ = norm(root + "ln_f");
    for (std::int64_t i = 0; i < shape_.layers; ++i) {
      const auto at = root + "h." + std::to_string(i) + ".";
      layers_.push_back({.before_attention = norm(at + "ln_1"),
                         .before_mlp = norm(at + "ln_2"),
                         .query_key_value = linear(at + "attn.c_attn", 3 * width, width),
                         .projection = linear(at + "attn.c_proj", width, width),
                         .up = linear(at + "mlp.c_fc", inner_, width),
                         .down = linear(at + "mlp.c_proj", width, inner_)});
    }
  }

  Tensor normalise(const Tensor& rows, const Norm& norm) const {
    return at::layer_norm(rows, {shape_.width}, norm.weight, norm.bias, epsilon_);
  }

  Tensor run_layer(std::int64_t index, const Tensor& input, const std::vector<std::int64_t>& starts, KvCache* cache,
                   bool adapters) const {
    const auto& layer = layers_[index];
    const bool decoding = cache != nullptr;
    const auto joined = layer.query_key_value.apply(normalise(input, layer.before_attention), adapters, decoding);
    const auto part = [&](std::int64_t i) {
      return joined.slice(1, i * shape_.width, (i + 1) * shape_.width).contiguous().view({joined.size(0), shape_.heads, shape_.head_dim});
    };
    const AttentionInput attended{.queries = part(0), .keys = part(1), .values = part(2)};
    const auto mixed = cache == nullptr ? attention(attended, {}, starts, 0)
                                        : cached_attention(attended, {}, starts, 0, *cache, index);
    const auto middle = at::add(input, layer.projection.apply(mixed, adapters, decoding));
    const auto activated = at::gelu(layer.up.apply(normalise(middle, layer.before_mlp), adapters, decoding), "tanh");
    return at::add(middle, layer.down.apply(activated, adapters, decoding));
  }

  json config_;
  ConfigKeys keys_;
  Shape shape_;
  std::int64_t inner_ = 0;
  double epsilon_ = 0;
  Tensor embedding_, positions_;
  Norm final_norm_;
  mutable std::vector<Layer> layers_;  // mutable: one visitor serves reading and changing; forward never writes
};

}  // namespace

std::unique_ptr<LanguageModel> make_gpt2(const json& config, const WeightSource& weights) {
  return std::make_unique<Gpt2>(config, weights);
}

}  // namespace rlhf::models
