#include "rlhf/generation/stopping.h"

#include <algorithm>

namespace rlhf::generation {

std::unordered_set<TokenId> stop_tokens(const SamplingConfig& config, const text::SpecialTokens& special) {
  std::unordered_set<TokenId> tokens(config.stop_ids.begin(), config.stop_ids.end());
  if (!config.ignore_eos) tokens.insert(special.stop.begin(), special.stop.end());
  return tokens;
}

CompletionText::CompletionText(const text::Tokenizer& tokenizer, const std::vector<std::string>& stops)
    : stops_(&stops), decoder_(tokenizer) {
  for (const auto& stop : stops) longest_ = std::max(longest_, stop.size());
}

bool CompletionText::push(TokenId token) {
  // A stop text that is new now ends in the new piece, so it begins at most longest_ - 1 bytes before it.
  const std::size_t from = text_.size() < longest_ ? 0 : text_.size() - longest_ + 1;
  text_ += decoder_.push(token);
  std::size_t end = std::string::npos;
  for (const auto& stop : *stops_) end = std::min(end, text_.find(stop, from));
  ended_ = end != std::string::npos;
  if (ended_) text_.resize(end);
  return ended_;
}

const std::string& CompletionText::finish() {
  if (!ended_) text_ += decoder_.finish();
  ended_ = true;
  return text_;
}

std::string CompletionText::take() {
  const auto sure = sure_length();
  auto fresh = text_.substr(taken_, sure - taken_);
  taken_ = sure;
  return fresh;
}

std::size_t CompletionText::sure_length() const {
  if (ended_) return text_.size();
  const std::string_view text(text_);
  std::size_t held = 0;  // the longest end of the text that a stop text begins with
  for (const std::string_view stop : *stops_) {
    for (auto length = std::min(stop.size() - 1, text.size() - taken_); length > held; --length) {
      if (text.ends_with(stop.substr(0, length))) held = length;
    }
  }
  return text.size() - held;
}

}  // namespace rlhf::generation
