#include "rlhf/text/stream_decoder.h"

#include <algorithm>

#include "rlhf/text/detail/utf8.h"

namespace rlhf::text {

using detail::replacement;
using detail::Utf8Step;

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer), kind_(tokenizer.decoder_kind()) {}

std::string StreamDecoder::push(TokenId id) {
  if (tokenizer_.is_special(id)) return {};
  switch (kind_) {
    case DecoderKind::byte_level:
      return push_bytes(tokenizer_.token_bytes(id));
    case DecoderKind::pieces:
    case DecoderKind::pieces_without_first_space:
      return push_piece(id);
    case DecoderKind::other:
      break;
  }
  return push_whole(id);
}

/// The whole decode replaces what isn't UTF-8 in all bytes joined; the same, cut where no later byte can matter.
std::string StreamDecoder::push_bytes(std::string_view bytes) {
  held_ += bytes;
  std::string text;
  std::string_view rest = held_;
  while (!rest.empty()) {
    const auto step = detail::utf8_step(rest);
    if (step.kind == Utf8Step::unfinished) break;
    text += step.kind == Utf8Step::character ? rest.substr(0, step.length) : replacement;
    rest.remove_prefix(step.length);
  }
  held_.erase(0, held_.size() - rest.size());
  return text;
}

/// A run of fallback bytes is text only as a whole: if it isn't UTF-8 then each of its bytes is replaced, so it is held
/// back until a piece ends it.
std::string StreamDecoder::push_piece(TokenId id) {
  const std::string bytes = tokenizer_.token_bytes(id);
  if (bytes.empty()) return {};  // an id beyond the vocabulary ends no run
  if (tokenizer_.is_fallback_byte(id)) {
    held_ += bytes;
    return {};
  }
  std::string text = release_held_bytes() + bytes;
  if (!started_ && !text.empty()) {
    started_ = true;
    if (kind_ == DecoderKind::pieces_without_first_space && text.front() == ' ') text.erase(0, 1);
  }
  return text;
}

std::string StreamDecoder::release_held_bytes() {
  std::string text;
  if (detail::is_utf8(held_)) {
    text = std::move(held_);
  } else {
    for (std::size_t i = 0; i < held_.size(); ++i) text += replacement;
  }
  held_.clear();
  return text;
}

/// For decoders whose rules aren't known: what a whole decode says, as long as it only grows at its end. Text that ends
/// with U+FFFD may still become a character, so it waits.
std::string StreamDecoder::push_whole(TokenId id) {
  ids_.push_back(id);
  std::string text = tokenizer_.decode(ids_);
  while (text.ends_with(replacement)) text.resize(text.size() - replacement.size());
  if (!text.starts_with(sent_)) return {};
  std::string fresh = text.substr(sent_.size());
  sent_ = std::move(text);
  return fresh;
}

std::string StreamDecoder::finish() {
  std::string text;
  if (kind_ == DecoderKind::byte_level) {
    if (!held_.empty()) text = replacement;  // one unfinished character at most
  } else if (kind_ == DecoderKind::other) {
    text = tokenizer_.decode(ids_);
    text.erase(0, std::min(sent_.size(), text.size()));
  } else {
    text = release_held_bytes();
    if (!started_ && kind_ == DecoderKind::pieces_without_first_space && text.starts_with(' ')) text.erase(0, 1);
  }
  *this = StreamDecoder(tokenizer_);
  return text;
}

}  // namespace rlhf::text
