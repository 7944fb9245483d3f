#include "rlhf/generation/stopping.h"

#include <algorithm>

namespace rlhf::generation {

std::unordered_set<TokenId> stop_tokens(const SamplingConfig& config, const text::SpecialTokens& special) {
  std::unordered_set<TokenId> tokens(config.stop_ids.begin(), config.stop_ids.end());
  if (!config.ignore_eos) tokens.insert(special.stop.begin(), special.stop.end());
  return tokens;
}

StopTexts::StopTexts(const text::Tokenizer& tokenizer, const std::vector<std::string>& stops)
    : stops_(&stops), decoder_(tokenizer) {
  for (const auto& stop : stops) longest_ = std::max(longest_, stop.size());
}

bool StopTexts::push(TokenId token) {
  // A stop text that is new now ends in the new piece, so it begins at most longest_ - 1 bytes before it.
  const std::size_t from = text_.size() < longest_ ? 0 : text_.size() - longest_ + 1;
  text_ += decoder_.push(token);
  for (const auto& stop : *stops_) end_ = std::min(end_, text_.find(stop, from));
  return end_ != std::string::npos;
}

}  // namespace rlhf::generation
