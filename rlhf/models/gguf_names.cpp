#include "rlhf/models/gguf_names.h"

#include <span>
#include <string_view>
#include <utility>

namespace rlhf::models {
namespace {

using Name = std::pair<std::string_view, std::string_view>;  // Hugging Face, GGUF

constexpr Name kWhole[] = {
    {"model.embed_tokens", "token_embd"}, {"model.norm", "output_norm"},        {"lm_head", "output"},
    {"transformer.wte", "token_embd"},    {"transformer.wpe", "position_embd"}, {"transformer.ln_f", "output_norm"},
};

constexpr std::string_view kLayerPrefixes[] = {"model.layers.", "transformer.h."};

constexpr Name kInLayer[] = {
    {"input_layernorm", "attn_norm"},
    {"post_attention_layernorm", "ffn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    // GPT-2
    {"ln_1", "attn_norm"},
    {"ln_2", "ffn_norm"},
    {"attn.c_attn", "attn_qkv"},
    {"attn.c_proj", "attn_output"},
    {"mlp.c_fc", "ffn_up"},
    {"mlp.c_proj", "ffn_down"},
};

std::optional<std::string_view> look_up(std::span<const Name> names, std::string_view name) {
  for (const auto& [hugging_face, gguf] : names)
    if (name == hugging_face) return gguf;
  return std::nullopt;
}

bool is_query_or_key(const std::string& name) {
  return name.find(".self_attn.q_proj.") != std::string::npos || name.find(".self_attn.k_proj.") != std::string::npos;
}

bool is_gpt2_linear(const std::string& name) {
  return name.find(".c_") != std::string::npos && name.ends_with(".weight");  // c_attn, c_proj, c_fc
}

/// [heads, first, second, rest] -> [heads, second, first, rest], over the rows of every head.
Tensor swap_in_heads(const Tensor& weight, std::int64_t heads, std::int64_t first, std::int64_t second) {
  return weight.reshape({heads, first, second, -1}).transpose(1, 2).reshape(weight.sizes());
}

Tensor change_layout(const std::string& architecture, const std::string& name, const Tensor& weight, std::int64_t heads,
                     std::int64_t kv_heads, bool to_gguf) {
  if (architecture == "gpt2") return is_gpt2_linear(name) ? weight.t().contiguous() : weight;
  if (architecture != "llama" || !is_query_or_key(name)) return weight;
  const auto groups = name.find(".q_proj.") != std::string::npos ? heads : kv_heads;
  const auto half = weight.size(0) / groups / 2;
  return to_gguf ? swap_in_heads(weight, groups, 2, half) : swap_in_heads(weight, groups, half, 2);
}

}  // namespace

std::optional<std::string> gguf_name(const std::string& hugging_face_name) {
  const std::string_view name = hugging_face_name;
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto module = name.substr(0, dot);
  const std::string suffix(name.substr(dot));
  if (const auto found = look_up(kWhole, module)) return std::string(*found) + suffix;
  for (const auto prefix : kLayerPrefixes) {
    if (!module.starts_with(prefix)) continue;
    const auto rest = module.substr(prefix.size());
    const auto end = rest.find('.');
    if (end == std::string_view::npos) continue;
    if (const auto found = look_up(kInLayer, rest.substr(end + 1)))
      return "blk." + std::string(rest.substr(0, end)) + "." + std::string(*found) + suffix;
  }
  return std::nullopt;
}

Tensor to_gguf_layout(const std::string& architecture, const std::string& hugging_face_name, const Tensor& weight,
                      std::int64_t heads, std::int64_t kv_heads) {
  return change_layout(architecture, hugging_face_name, weight, heads, kv_heads, true);
}

Tensor from_gguf_layout(const std::string& architecture, const std::string& hugging_face_name, const Tensor& weight,
                        std::int64_t heads, std::int64_t kv_heads) {
  return change_layout(architecture, hugging_face_name, weight, heads, kv_heads, false);
}

}  // namespace rlhf::models
