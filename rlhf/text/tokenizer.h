#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/core/tokens.h"

namespace rlhf::text {

namespace detail {
struct TokenizerHandle;  // the Rust object; immutable, so copies of a Tokenizer share it
}

/// How a tokenizer turns token strings back into text; decides how a stream may be cut.
enum class DecoderKind {
  byte_level,                  // each token stands for a fixed string of bytes (GPT-2, Llama 3, Qwen, SmolLM2)
  pieces,                      // ▁ is a space, <0xAB> is a byte (Gemma)
  pieces_without_first_space,  // the same, less the space that encoding put in front (Llama 2, Mistral)
  other,                       // anything else: only whole decodes are known to be right
};

/// A Hugging Face tokenizer, read from `tokenizer.json`. A cheap value to copy; safe to use from several threads.
///
/// Texts are UTF-8. Every function throws rlhf::Error: bad_data for files, text that isn't UTF-8 and negative ids.
class Tokenizer {
 public:
  /// `where` names the source in errors.
  static Tokenizer from_json(std::string_view json, std::string_view where = "tokenizer.json");
  static Tokenizer from_file(const std::filesystem::path& path);

  /// Special tokens written out in the text (`<|im_end|>`) become their ids. `add_special` lets the tokenizer put its
  /// own around the text (a BOS, say): right for raw text, wrong for a rendered conversation (see text/bundle.h).
  TokenIds encode(std::string_view text, bool add_special = false) const;

  /// The same for many texts, in parallel (see set_threads).
  std::vector<TokenIds> encode_batch(std::span<const std::string> texts, bool add_special = false) const;

  /// Ids beyond the vocabulary (a padded embedding can sample them) stand for no text; bytes that aren't UTF-8 become
  /// U+FFFD.
  std::string decode(std::span<const TokenId> ids, bool skip_special = true) const;

  /// One more than the largest id: the rows that an embedding needs.
  std::int64_t size() const;

  std::optional<TokenId> id(std::string_view token) const;

  /// The token as `tokenizer.json` spells it ("Ġthe"). Throws if there is none with this id.
  std::string token(TokenId id) const;

  /// The bytes the token stands for (" the"; a single 0xE4): not UTF-8 in general. Empty if there is none with this id.
  std::string token_bytes(TokenId id) const;

  /// Is it one byte of a character that has no piece of its own (<0xE4>)? Never so for byte-level tokenizers.
  bool is_fallback_byte(TokenId id) const;

  bool is_special(TokenId id) const;
  DecoderKind decoder_kind() const;

  /// Does encode(text, add_special = true) differ from encode(text)?
  bool adds_special() const;

  /// Text that reads back as the same tokenizer; not byte for byte the file it came from.
  std::string to_json() const;

 private:
  friend Tokenizer train_bpe(std::span<const std::string>, std::int64_t, std::span<const std::string>);
  explicit Tokenizer(std::shared_ptr<const detail::TokenizerHandle> handle) : handle_(std::move(handle)) {}

  std::shared_ptr<const detail::TokenizerHandle> handle_;
};

/// Trains a byte-level BPE (GPT-2's pre-tokenizer) for a tiny model from scratch. Ids: the special tokens in their
/// order, the 256 bytes, then merges. `vocabulary_size` counts all three; fewer come out if the texts have too few
/// pairs to merge.
Tokenizer train_bpe(std::span<const std::string> texts, std::int64_t vocabulary_size,
                    std::span<const std::string> special_tokens);

/// Threads that encode_batch uses from now on, in the whole process; 0 = the default (RAYON_NUM_THREADS, else all
/// cores).
void set_threads(int threads);

}  // namespace rlhf::text
