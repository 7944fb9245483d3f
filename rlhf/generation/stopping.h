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

/// Follows the text of one completion while its tokens come: notices when a stop text is complete, even across tokens, and
/// hands out the text that is sure to stay.
class CompletionText {
 public:
  /// Both arguments have to outlive the object.
  CompletionText(const text::Tokenizer& tokenizer, const std::vector<std::string>& stops);

  /// True as soon as the text holds one of the stop texts; it then ends before it (the first one, where several are
  /// complete at once).
  bool push(TokenId token);

  /// The whole text, once its last token has come.
  const std::string& finish();

  /// What is new since the last call, as far as it cannot turn out to be the beginning of a stop text.
  std::string take();

 private:
  std::size_t sure_length() const;

  const std::vector<std::string>* stops_;
  text::StreamDecoder decoder_;
  std::string text_;
  std::size_t longest_ = 0, taken_ = 0;
  bool ended_ = false;
};

}  // namespace rlhf::generation
