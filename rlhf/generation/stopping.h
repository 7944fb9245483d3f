#pragma once
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "rlhf/generation/sampler.h"
#include "rlhf/text/bundle.h"
#include "rlhf/text/stream_decoder.h"

namespace rlhf::generation {

/// The tokens that end a completion: the model's own (unless ignored) and the ones asked for.
std::unordered_set<TokenId> stop_tokens(const SamplingConfig& config, const text::SpecialTokens& special);

/// Follows the text of one completion and notices when a stop text is complete, even across tokens.
class StopTexts {
 public:
  /// Both arguments have to outlive the object.
  StopTexts(const text::Tokenizer& tokenizer, const std::vector<std::string>& stops);

  /// True as soon as the text holds one of the stop texts.
  bool push(TokenId token);

  /// The text before the stop text that ended it (the first one, where several are complete at once).
  std::string text_before() const { return text_.substr(0, end_); }

 private:
  const std::vector<std::string>* stops_;
  text::StreamDecoder decoder_;
  std::string text_;
  std::size_t longest_ = 0, end_ = std::string::npos;
};

}  // namespace rlhf::generation
