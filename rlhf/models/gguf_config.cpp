#include "rlhf/models/gguf_config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "rlhf/core/error.h"
#include "rlhf/models/quantization.h"

namespace rlhf::models {
namespace {

using nlohmann::json;

/// Llama 3.1's scaling of the rotary frequencies; the three numbers beside the factor are the same in all its releases.
struct Llama3Scaling {
  double factor, low = 1, high = 4, trained = 8192;

  double divisor(double frequency) const {
    const double wavelength = 2 * std::numbers::pi / frequency;
    if (wavelength > trained / low) return factor;
    if (wavelength < trained / high) return 1;
    const double smooth = (trained / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  }
};

std::vector<double> frequencies(double theta, std::int64_t head_dim) {
  std::vector<double> all;
  for (std::int64_t i = 0; i < head_dim; i += 2)
    all.push_back(1.0 / std::pow(theta, static_cast<double>(i) / static_cast<double>(head_dim)));
  return all;
}

/// Files hold 1e-5 as the nearest float32; config.json says 1e-05, not 9.999999747378752e-06.
double shortest(double stored) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, static_cast<float>(stored)).ptr;
  double value = stored;
  std::from_chars(text, end, value);
  return value;
}

class Metadata {
 public:
  explicit Metadata(const GgufFile& file)
      : file_(file), architecture_(required(file.text("general.architecture"), "general.architecture")) {}

  const std::string& architecture() const { return architecture_; }
  std::string key(const std::string& name) const { return architecture_ + "." + name; }
  std::int64_t integer(const std::string& name) const { return required(optional_integer(name), key(name)); }
  std::optional<double> number(const std::string& name) const {
    const auto found = file_.number(key(name));
    return found ? std::optional(shortest(*found)) : found;
  }
  std::optional<std::string> text(const std::string& name) const { return file_.text(key(name)); }

  /// A whole number, or a list of one number repeated (some writers give heads for each layer).
  std::optional<std::int64_t> optional_integer(const std::string& name) const {
    const auto found = file_.metadata().find(key(name));
    if (found == file_.metadata().end()) return std::nullopt;
    const auto* items = std::get_if<GgufValue::Array>(&found->second.value);
    if (items == nullptr) return file_.integer(key(name));
    const auto numbers = file_.numbers(key(name));
    if (numbers->empty() || std::ranges::adjacent_find(*numbers, std::ranges::not_equal_to{}) != numbers->end())
      bad(key(name) + " differs between layers, which is not supported");
    if (std::abs(numbers->front()) > 0x1p31) bad(key(name) + " is far too large");
    return static_cast<std::int64_t>(numbers->front());
  }

  bool has_tensor(const std::string& name) const { return file_.tensors().contains(name); }

  const GgufTensor& tensor(const std::string& name) const {
    const auto found = file_.tensors().find(name);
    if (found == file_.tensors().end()) bad("has no tensor '" + name + "'");
    return found->second;
  }

  std::int64_t vocabulary() const {
    const auto& embedding = tensor("token_embd.weight");
    if (embedding.shape.size() != 2) bad("token_embd.weight does not have two dimensions");
    return embedding.shape[0];
  }

  [[noreturn]] void bad(std::string what) const {
    throw Error({.category = Category::bad_data,
                 .where = file_.name(),
                 .what = std::move(what),
                 .fix = "Fetch another GGUF file of the model, or use its Hugging Face folder."});
  }

  template <class T>
  T required(std::optional<T> value, const std::string& name) const {
    if (!value) bad("has no metadata key '" + name + "'");
    return *value;
  }

 private:
  const GgufFile& file_;
  std::string architecture_;
};

/// rope_freqs holds one divisor a frequency; config.json holds the rule that made them. The rule is searched for and
/// checked.
json llama3_scaling(const Metadata& meta, double theta, std::int64_t head_dim) {
  const auto& tensor = meta.tensor("rope_freqs.weight");
  if (tensor.elements() != head_dim / 2)
    meta.bad("rope_freqs.weight does not have one number for each rotary frequency");
  std::vector<float> stored(static_cast<std::size_t>(tensor.elements()));
  dequantize(tensor.type, tensor.bytes.data(), tensor.elements(), stored.data());
  const double factor = *std::ranges::max_element(stored);
  const auto base = frequencies(theta, head_dim);
  for (double trained = 16; trained <= 1 << 20; trained *= 2) {
    const Llama3Scaling rule{.factor = factor, .trained = trained};
    const auto fits = [&](std::size_t i) { return std::abs(rule.divisor(base[i]) / stored[i] - 1) < 1e-4; };
    bool all = true;
    for (std::size_t i = 0; i < base.size(); ++i) all = all && fits(i);
    // Where no wavelength lies in the blended band several rules fit; they are the same function.
    if (all)
      return {{"rope_type", "llama3"},
              {"factor", factor},
              {"low_freq_factor", rule.low},
              {"high_freq_factor", rule.high},
              {"original_max_position_embeddings", static_cast<std::int64_t>(trained)}};
  }
  meta.bad("its rope_freqs.weight follows no known scaling of rotary positions");
}

void add_rope(const Metadata& meta, std::int64_t head_dim, json& config) {
  const double theta = meta.number("rope.freq_base").value_or(10000.0);
  config["rope_theta"] = theta;
  const auto type = meta.text("rope.scaling.type").value_or("none");
  if (meta.has_tensor("rope_freqs.weight")) {
    config["rope_scaling"] = llama3_scaling(meta, theta, head_dim);
  } else if (type == "linear" || type == "yarn") {
    config["rope_scaling"] = {
        {"rope_type", type},
        {"factor", meta.required(meta.number("rope.scaling.factor"), meta.key("rope.scaling.factor"))}};
    if (const auto trained = meta.optional_integer("rope.scaling.original_context_length"))
      config["rope_scaling"]["original_max_position_embeddings"] = *trained;
  } else if (type != "none") {
    meta.bad("its rotary positions are scaled by '" + type + "', which is not supported");
  }
}

json llama_config(const Metadata& meta) {
  const auto heads = meta.integer("attention.head_count"), width = meta.integer("embedding_length");
  if (heads <= 0 || width <= 0) meta.bad("its head count or width is not positive");
  const auto rotary = meta.architecture() == "llama" ? meta.optional_integer("rope.dimension_count") : std::nullopt;
  const auto head_dim = meta.optional_integer("attention.key_length").value_or(rotary.value_or(width / heads));
  json config = {{"model_type", meta.architecture()},
                 {"hidden_size", width},
                 {"intermediate_size", meta.integer("feed_forward_length")},
                 {"num_hidden_layers", meta.integer("block_count")},
                 {"num_attention_heads", heads},
                 {"num_key_value_heads", meta.optional_integer("attention.head_count_kv").value_or(heads)},
                 {"head_dim", head_dim},
                 {"hidden_act", "silu"},
                 {"rms_norm_eps", meta.required(meta.number("attention.layer_norm_rms_epsilon"),
                                                meta.key("attention.layer_norm_rms_epsilon"))},
                 {"max_position_embeddings", meta.integer("context_length")},
                 {"vocab_size", meta.vocabulary()},
                 {"tie_word_embeddings", !meta.has_tensor("output.weight")}};
  add_rope(meta, head_dim, config);
  if (meta.architecture() == "llama") {
    config["attention_bias"] = meta.has_tensor("blk.0.attn_q.bias");
    config["mlp_bias"] = meta.has_tensor("blk.0.ffn_up.bias");
    if (const auto window = meta.optional_integer("attention.sliding_window")) {
      config["model_type"] = "mistral";
      config["sliding_window"] = *window;
    }
  } else {
    config["use_sliding_window"] = false;
  }
  return config;
}

json gpt2_config(const Metadata& meta) {
  return {{"model_type", "gpt2"},
          {"n_layer", meta.integer("block_count")},
          {"n_embd", meta.integer("embedding_length")},
          {"n_inner", meta.integer("feed_forward_length")},
          {"n_head", meta.integer("attention.head_count")},
          {"n_positions", meta.integer("context_length")},
          {"layer_norm_epsilon",
           meta.required(meta.number("attention.layer_norm_epsilon"), meta.key("attention.layer_norm_epsilon"))},
          {"activation_function", "gelu_new"},
          {"vocab_size", meta.vocabulary()},
          {"tie_word_embeddings", true}};
}

GgufValue whole(std::int64_t number) { return {static_cast<std::uint64_t>(number)}; }

/// The old or the new form of the rotary settings, {} without any.
json rope_of(const json& config) {
  for (const auto* key : {"rope_parameters", "rope_scaling"})
    if (config.contains(key) && config[key].is_object()) return config[key];
  return json::object();
}

std::string rope_type(const json& rope) {
  if (rope.contains("rope_type") && rope["rope_type"].is_string()) return rope["rope_type"];
  return rope.value("type", std::string("default"));
}

double rope_theta(const json& config) {
  const auto rope = rope_of(config);
  return rope.contains("rope_theta") ? rope["rope_theta"].get<double>() : config.value("rope_theta", 10000.0);
}

std::int64_t head_dim_of(const json& config) {
  if (config.contains("head_dim") && config["head_dim"].is_number_integer()) return config["head_dim"];
  return config.at("hidden_size").get<std::int64_t>() / config.at("num_attention_heads").get<std::int64_t>();
}

[[noreturn]] void cannot_export(std::string what) {
  throw Error({.category = Category::usage,
               .where = "GGUF export",
               .what = std::move(what),
               .fix = "Export to a Hugging Face folder instead: --to hf."});
}

}  // namespace

std::optional<std::string> gguf_architecture(const std::string& model_type) {
  if (model_type == "llama" || model_type == "mistral") return "llama";
  if (model_type == "qwen2" || model_type == "qwen3" || model_type == "gpt2") return model_type;
  return std::nullopt;
}

json config_from_gguf(const GgufFile& file) {
  const Metadata meta(file);
  json config;
  if (meta.architecture() == "llama" || meta.architecture() == "qwen2" || meta.architecture() == "qwen3")
    config = llama_config(meta);
  else if (meta.architecture() == "gpt2")
    config = gpt2_config(meta);
  else
    meta.bad("holds a model of architecture '" + meta.architecture() +
             "'; supported are llama (with mistral), qwen2, qwen3, gpt2");
  for (const auto* role : {"bos", "eos"})
    if (const auto id = file.integer("tokenizer.ggml." + std::string(role) + "_token_id"))
      config[std::string(role) + "_token_id"] = *id;
  if (const auto id = file.integer("tokenizer.ggml.padding_token_id")) config["pad_token_id"] = *id;
  config["torch_dtype"] = "float32";
  return config;
}

text::GgufTokenizer tokenizer_from_gguf(const GgufFile& file) {
  const std::string prefix = "tokenizer.ggml.";
  text::GgufTokenizer found;
  found.model = file.text(prefix + "model").value_or("");
  found.pre = file.text(prefix + "pre").value_or("");
  found.tokens = file.texts(prefix + "tokens").value_or(std::vector<std::string>{});
  found.merges = file.texts(prefix + "merges").value_or(std::vector<std::string>{});
  for (const auto type : file.numbers(prefix + "token_type").value_or(std::vector<double>{}))
    found.token_types.push_back(static_cast<std::int32_t>(std::clamp(type, 0.0, 255.0)));
  for (const auto score : file.numbers(prefix + "scores").value_or(std::vector<double>{}))
    found.scores.push_back(static_cast<float>(score));
  found.bos = file.integer(prefix + "bos_token_id");
  found.eos = file.integer(prefix + "eos_token_id");
  found.pad = file.integer(prefix + "padding_token_id");
  found.eot = file.integer(prefix + "eot_token_id");
  found.unk = file.integer(prefix + "unknown_token_id");
  found.add_bos = file.flag(prefix + "add_bos_token");
  found.add_eos = file.flag(prefix + "add_eos_token");
  found.add_space_prefix = file.flag(prefix + "add_space_prefix");
  found.chat_template = file.text("tokenizer.chat_template").value_or("");
  return found;
}

std::vector<std::pair<std::string, GgufValue>> gguf_keys_of(const json& config) {
  const auto type = config.value("model_type", std::string());
  const auto architecture = gguf_architecture(type);
  if (!architecture) cannot_export("models of type '" + type + "' cannot be written");
  if (config.value("use_sliding_window", false))
    cannot_export("the model attends in a sliding window, which " + type + " GGUF files cannot say");
  std::vector<std::pair<std::string, GgufValue>> keys;
  const auto add = [&](const std::string& name, GgufValue value) {
    keys.emplace_back(*architecture + "." + name, std::move(value));
  };
  const auto integer = [&](const char* key) { return config.at(key).get<std::int64_t>(); };
  if (type == "gpt2") {
    const auto inner =
        config.contains("n_inner") && config["n_inner"].is_number() ? integer("n_inner") : 4 * integer("n_embd");
    add("block_count", whole(integer("n_layer")));
    add("context_length", whole(integer("n_positions")));
    add("embedding_length", whole(integer("n_embd")));
    add("feed_forward_length", whole(inner));
    add("attention.head_count", whole(integer("n_head")));
    add("attention.layer_norm_epsilon", {config.value("layer_norm_epsilon", 1e-5)});
    return keys;
  }
  const auto head_dim = head_dim_of(config);
  add("block_count", whole(integer("num_hidden_layers")));
  add("context_length", whole(integer("max_position_embeddings")));
  add("embedding_length", whole(integer("hidden_size")));
  add("feed_forward_length", whole(integer("intermediate_size")));
  add("attention.head_count", whole(integer("num_attention_heads")));
  add("attention.head_count_kv", whole(config.value("num_key_value_heads", integer("num_attention_heads"))));
  add("attention.key_length", whole(head_dim));
  add("attention.value_length", whole(head_dim));
  add("attention.layer_norm_rms_epsilon", {config.value("rms_norm_eps", 1e-6)});
  add("rope.dimension_count", whole(head_dim));
  add("rope.freq_base", {rope_theta(config)});
  add("vocab_size", whole(integer("vocab_size")));
  if (type == "mistral" && config.contains("sliding_window") && config["sliding_window"].is_number_integer())
    add("attention.sliding_window", whole(integer("sliding_window")));
  const auto rope = rope_of(config);
  const auto scaling = rope_type(rope);
  if (scaling == "linear" || scaling == "yarn") {
    add("rope.scaling.type", {scaling});
    add("rope.scaling.factor", {rope.at("factor").get<double>()});
    if (rope.contains("original_max_position_embeddings"))
      add("rope.scaling.original_context_length", whole(rope["original_max_position_embeddings"].get<std::int64_t>()));
  } else if (scaling != "default" && scaling != "llama3") {
    cannot_export("its rotary positions are scaled by '" + scaling + "', which cannot be written");
  }
  return keys;
}

std::vector<float> rope_factors(const json& config) {
  const auto rope = rope_of(config);
  if (rope_type(rope) != "llama3") return {};
  const Llama3Scaling rule{.factor = rope.at("factor"),
                           .low = rope.at("low_freq_factor"),
                           .high = rope.at("high_freq_factor"),
                           .trained = rope.at("original_max_position_embeddings")};
  std::vector<float> factors;
  for (const auto frequency : frequencies(rope_theta(config), head_dim_of(config)))
    factors.push_back(static_cast<float>(rule.divisor(frequency)));
  return factors;
}

}  // namespace rlhf::models
