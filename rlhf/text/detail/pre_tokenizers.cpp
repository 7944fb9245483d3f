#include "rlhf/text/detail/pre_tokenizers.h"

#include <algorithm>

namespace rlhf::text::detail {

namespace {

using nlohmann::json;

json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

json split(std::string regex) {
  return {{"type", "Split"}, {"pattern", {{"Regex", std::move(regex)}}}, {"behavior", "Isolated"}, {"invert", false}};
}

json sequence(std::vector<json> steps) { return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}}; }

/// Llama 3's and Qwen 2's pattern; they differ in how many digits stay together.
std::string words(const std::string& digits) {
  return R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})" + digits +
         R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
}

// GPT-2's pattern (Radford et al. 2019); ByteLevel has it built in, "default" needs it as a step of its own.
constexpr const char* gpt2_words = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))";

}  // namespace

const std::vector<PreTokenizer>& pre_tokenizers() {
  // Which names share a pattern, and which of them ignore merges or add a BOS, is llama.cpp's choice
  // (src/llama-vocab.cpp).
  static const std::vector<PreTokenizer> table = {
      {.names = {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"},
       .steps = sequence({{{"type", "Digits"}, {"individual_digits", true}}, byte_level(true)})},
      {.names = {"gpt-2", "phi-2", "olmo", "mpt", "exaone4", "trillion", "mellum", "gigachat", "granite-docling"},
       .steps = byte_level(true)},
      {.names = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"},
       .steps = sequence({split(words("{1,3}")), byte_level(false)}),
       .ignore_merges = true,
       .adds_bos = true},
      {.names = {"dbrx", "smaug-bpe"}, .steps = sequence({split(words("{1,3}")), byte_level(false)})},
      // Differs from llama.cpp: Qwen's own tokenizer composes characters (NFC) first; the models were trained with
      // that.
      {.names = {"qwen2"}, .steps = sequence({split(words("")), byte_level(false)}), .normalizer = {{"type", "NFC"}}},
      {.names = {"stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan"},
       .steps = sequence({split(words("")), byte_level(false)})},
      {.names = {"default"},
       .steps = sequence({split(R"([\p{P}\$\+<=>\^~\|]+)"), split(gpt2_words), split(R"(\p{N}+)"),
                          split("[0-9][0-9][0-9]"), byte_level(false)})},
  };
  return table;
}

const PreTokenizer* find_pre_tokenizer(std::string_view name) {
  if (name.empty()) name = "default";
  for (const PreTokenizer& known : pre_tokenizers()) {
    if (std::ranges::find(known.names, name) != known.names.end()) return &known;
  }
  return nullptr;
}

}  // namespace rlhf::text::detail
