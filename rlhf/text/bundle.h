#pragma once
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/core/tokens.h"
#include "rlhf/text/chat_template.h"
#include "rlhf/text/gguf_tokenizer.h"
#include "rlhf/text/tokenizer.h"

namespace rlhf::text {

/// Tokens with a role. An absent one is absent, never id 0 or the word "None".
struct SpecialTokens {
  std::optional<TokenId> bos{};
  std::optional<TokenId> pad{};
  std::vector<TokenId> stop{};  // generation ends at any of them; the first is the model's own end token
};

/// Everything a model needs to read and write text.
struct TextBundle {
  Tokenizer tokenizer;
  std::optional<ChatTemplate> chat{};
  SpecialTokens special{};
  std::map<std::string, std::string>
      files{};  // name -> bytes: what an exported HF directory holds, untouched where it came from one
  std::optional<GgufTokenizer> gguf{};  // the metadata it came from, if it did

  /// Reads tokenizer.json (authoritative), tokenizer_config.json, chat_template.jinja (wins over the key
  /// `chat_template`) and the ids in generation_config.json. Weights and config.json are not looked at.
  static TextBundle from_hf_directory(const std::filesystem::path& folder);

  static TextBundle from_gguf_metadata(GgufTokenizer gguf, std::string_view where = "GGUF metadata");

  /// For a tokenizer made here. `tokens` names bos_token, eos_token, pad_token where they exist; eos_token becomes the
  /// stop id.
  static TextBundle from_tokenizer(Tokenizer tokenizer, const std::map<std::string, std::string>& tokens,
                                   const std::string& chat_template = "");

  /// Raw text as the model met it in training: with the BOS if the tokenizer adds one.
  TokenIds encode_text(std::string_view text) const;

  /// A rendered conversation: its special tokens are parsed, none is added.
  TokenIds encode_rendered(std::string_view rendered) const;

  /// Renders the messages and encodes the result. Throws rlhf::Error (usage) if the model has no chat template.
  TokenIds encode_chat(const nlohmann::json& messages, bool add_generation_prompt = true,
                       const nlohmann::json& extra = nlohmann::json::object()) const;

  bool is_stop(TokenId id) const;

  /// The metadata of a GGUF file that holds this text side: the one it came from, or made from the tokenizer.
  GgufTokenizer to_gguf_metadata() const;
};

}  // namespace rlhf::text
