#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/text/tokenizer.h"

namespace rlhf::text {

/// The `tokenizer.*` metadata of a GGUF file, as it stands there.
struct GgufTokenizer {
  std::string model{};                      // tokenizer.ggml.model: "gpt2" (byte-level BPE) or "llama" (SentencePiece)
  std::string pre{};                        // tokenizer.ggml.pre: how text is cut before BPE; "" = "default"
  std::vector<std::string> tokens{};        // tokenizer.ggml.tokens
  std::vector<std::int32_t> token_types{};  // 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte
  std::vector<float> scores{};              // "llama" only
  std::vector<std::string> merges{};        // "gpt2" only: "left right"
  std::optional<TokenId> bos{}, eos{}, pad{}, eot{}, unk{};
  std::optional<bool> add_bos{};           // tokenizer.ggml.add_bos_token
  std::optional<bool> add_eos{};           // tokenizer.ggml.add_eos_token
  std::optional<bool> add_space_prefix{};  // tokenizer.ggml.add_space_prefix
  std::string chat_template{};             // tokenizer.chat_template; "" = none
};

/// `tokenizer.json` of the tokenizer that llama.cpp runs on this metadata.
///
/// Byte-level BPE: `pre` = smollm, gpt-2, llama-bpe, qwen2, default and what llama.cpp treats as these. SentencePiece:
/// rebuilt as BPE with byte fallback, which is the same function only if scores order the pieces without ties and each
/// character of a piece is a piece; refused if not. Throws rlhf::Error (bad_data) for anything else, naming what is
/// known.
std::string tokenizer_json(const GgufTokenizer& gguf);

/// The way back, for export: the metadata of a byte-level BPE tokenizer whose pre-tokenizer is one that
/// `tokenizer_json` knows. bos, eos, pad, eot, add_bos and chat_template are left to the caller. Throws rlhf::Error
/// (bad_data) for other tokenizers.
GgufTokenizer gguf_metadata(const Tokenizer& tokenizer);

}  // namespace rlhf::text
