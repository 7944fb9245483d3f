#pragma once
#include <string>

#include "rlhf/text/tokenizer.h"

namespace rlhf::text {

/// Text of a completion while its tokens arrive one by one.
///
/// Each push returns only complete UTF-8 that no later token can change, perhaps nothing; all pieces and finish() joined are
/// exactly `tokenizer.decode(ids)`, special tokens skipped, for any sequence of ids.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer);

  std::string push(TokenId id);

  /// What is still held back (an unfinished character becomes U+FFFD). The decoder is then as new.
  std::string finish();

 private:
  std::string push_sentencepiece(TokenId id);
  std::string push_whole(TokenId id);

  Tokenizer tokenizer_;
  DecoderKind kind_;
  std::string held_;         // bytes not yet text
  bool at_start_ = true;     // sentencepiece: the first space is still to be dropped
  bool drop_first_space_ = false;
  TokenIds ids_;             // DecoderKind::other: everything so far
  std::string sent_;         // DecoderKind::other: everything returned so far
};

}  // namespace rlhf::text
