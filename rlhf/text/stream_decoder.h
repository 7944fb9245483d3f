#pragma once
#include <string>
#include <string_view>

#include "rlhf/text/tokenizer.h"

namespace rlhf::text {

/// Text of a completion while its tokens arrive one by one.
///
/// Each push returns only complete UTF-8 that no later token can change, perhaps nothing; all pieces and finish()
/// joined are exactly `tokenizer.decode(ids)`, special tokens skipped, for any sequence of ids. (DecoderKind::other: as
/// long as the whole decode only grows at its end, which a clean-up of spaces before punctuation would break.)
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer);

  std::string push(TokenId id);

  /// What is still held back (an unfinished character becomes U+FFFD). The decoder is then as new.
  std::string finish();

 private:
  std::string push_bytes(std::string_view bytes);
  std::string push_piece(TokenId id);
  std::string push_whole(TokenId id);
  std::string release_held_bytes();

  Tokenizer tokenizer_;
  DecoderKind kind_;
  std::string held_;      // bytes that are not text yet
  bool started_ = false;  // pieces_without_first_space: the first character has been seen
  TokenIds ids_;          // other: everything so far
  std::string sent_;      // other: everything returned so far
};

}  // namespace rlhf::text
