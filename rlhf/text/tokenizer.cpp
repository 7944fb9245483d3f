#include "rlhf/text/tokenizer.h"

#include <fstream>
#include <iterator>

#include "rlhf/core/error.h"
#include "rlhf/text/detail/border.h"

namespace rlhf::text {

using detail::Bytes;
using detail::view;

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) {
    throw Error({.category = Category::bad_data,
                 .where = path.string(),
                 .what = "the tokenizer file cannot be read",
                 .fix = "Check the path; a model directory needs a tokenizer.json (fast tokenizer)."});
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Encodes all texts in one call; ids[i] are those of text i.
std::vector<TokenIds> encode_all(const rlhf_tokenizer* tokenizer, const std::vector<rlhf_view>& texts,
                                 bool add_special) {
  rlhf_ids flat{};
  Bytes error;
  std::vector<std::size_t> lengths(texts.size());
  if (!rlhf_tokenizer_encode(tokenizer, texts.data(), texts.size(), add_special, &flat, lengths.data(), error.out())) {
    detail::fail("Tokenizer::encode", error, "Convert the text to UTF-8 first.");
  }
  std::vector<TokenIds> result;
  result.reserve(texts.size());
  const std::int64_t* next = flat.data;
  for (const std::size_t length : lengths) {
    result.emplace_back(next, next + length);
    next += length;
  }
  rlhf_ids_free(flat);
  return result;
}

}  // namespace

Tokenizer Tokenizer::from_json(std::string_view json, std::string_view where) {
  Bytes error;
  rlhf_tokenizer* raw = rlhf_tokenizer_from_json(view(json), error.out());
  if (raw == nullptr) {
    detail::fail(where, error, "It must be a tokenizer.json as the `tokenizers` library writes it.");
  }
  return Tokenizer(std::make_shared<detail::TokenizerHandle>(raw));
}

Tokenizer Tokenizer::from_file(const std::filesystem::path& path) { return from_json(read(path), path.string()); }

TokenIds Tokenizer::encode(std::string_view text, bool add_special) const {
  return std::move(encode_all(handle_->raw, {view(text)}, add_special).front());
}

std::vector<TokenIds> Tokenizer::encode_batch(std::span<const std::string> texts, bool add_special) const {
  if (texts.empty()) return {};
  return encode_all(handle_->raw, detail::views(texts), add_special);
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  for (const TokenId id : ids) {
    if (id < 0) {
      throw Error({.category = Category::bad_data,
                   .where = "Tokenizer::decode",
                   .what = "the id " + std::to_string(id) + " is negative",
                   .fix = "Drop masked positions (often -100) before decoding."});
    }
  }
  Bytes text, error;
  if (!rlhf_tokenizer_decode(handle_->raw, ids.data(), ids.size(), skip_special, text.out(), error.out())) {
    detail::fail("Tokenizer::decode", error, "");
  }
  return text.text();
}

std::int64_t Tokenizer::size() const { return rlhf_tokenizer_size(handle_->raw); }

std::optional<TokenId> Tokenizer::id(std::string_view token) const {
  const std::int64_t found = rlhf_tokenizer_id(handle_->raw, view(token));
  return found < 0 ? std::nullopt : std::optional<TokenId>(found);
}

std::string Tokenizer::token(TokenId id) const {
  Bytes token;
  if (!rlhf_tokenizer_token(handle_->raw, id, token.out())) {
    throw Error(
        {.category = Category::bad_data,
         .where = "Tokenizer::token",
         .what = "no token has the id " + std::to_string(id) + "; the vocabulary ends before " + std::to_string(size()),
         .fix = "Check that model and tokenizer belong together."});
  }
  return token.text();
}

std::string Tokenizer::token_bytes(TokenId id) const {
  Bytes bytes;
  bool is_byte = false;
  rlhf_tokenizer_token_bytes(handle_->raw, id, bytes.out(), &is_byte);
  return bytes.text();
}

bool Tokenizer::is_fallback_byte(TokenId id) const {
  Bytes bytes;
  bool is_byte = false;
  return rlhf_tokenizer_token_bytes(handle_->raw, id, bytes.out(), &is_byte) && is_byte;
}

bool Tokenizer::is_special(TokenId id) const { return rlhf_tokenizer_is_special(handle_->raw, id); }

DecoderKind Tokenizer::decoder_kind() const {
  return static_cast<DecoderKind>(rlhf_tokenizer_decoder_kind(handle_->raw));
}

bool Tokenizer::adds_special() const { return encode("a", true) != encode("a", false); }

std::string Tokenizer::to_json() const {
  Bytes json, error;
  if (!rlhf_tokenizer_to_json(handle_->raw, json.out(), error.out())) detail::fail("Tokenizer::to_json", error, "");
  return json.text();
}

Tokenizer train_bpe(std::span<const std::string> texts, std::int64_t vocabulary_size,
                    std::span<const std::string> special_tokens) {
  const auto smallest = static_cast<std::int64_t>(256 + special_tokens.size());
  if (vocabulary_size < smallest) {
    throw Error({.category = Category::usage,
                 .where = "train_bpe: vocabulary_size",
                 .what = std::to_string(vocabulary_size) + " tokens cannot hold the 256 bytes and " +
                         std::to_string(special_tokens.size()) + " special tokens",
                 .fix = "Use at least " + std::to_string(smallest) + "."});
  }
  const auto inputs = detail::views(texts);
  const auto special = detail::views(special_tokens);
  Bytes error;
  rlhf_tokenizer* raw =
      rlhf_tokenizer_train_bpe(inputs.data(), inputs.size(), static_cast<std::size_t>(vocabulary_size), special.data(),
                               special.size(), error.out());
  if (raw == nullptr) detail::fail("train_bpe", error, "");
  return Tokenizer(std::make_shared<detail::TokenizerHandle>(raw));
}

void set_threads(int threads) {
  Bytes error;
  if (!rlhf_set_threads(static_cast<std::size_t>(threads < 0 ? 0 : threads), error.out())) {
    detail::fail("text::set_threads", error, "Use fewer threads.");
  }
}

}  // namespace rlhf::text
