#include "rlhf/generation/json_format.h"

namespace rlhf::generation {
namespace {

constexpr std::size_t most_states_kept = 2048;  // 6 KB each with 50 000 tokens

}  // namespace

JsonFormat::JsonFormat(JsonGrammar grammar, std::shared_ptr<const TokenBytes> tokens) : grammar_(std::move(grammar)), tokens_(std::move(tokens)) {
  for (std::size_t i = 0; i < tokens_->sorted.size(); ++i) place_of_[tokens_->sorted[i].id] = i;
}

bool JsonFormat::Cursor::push(TokenId token) {
  const auto place = format_->place_of_.find(token);
  if (place == format_->place_of_.end()) return true;  // a stop token, which is allowed behind a whole text only
  acceptor_.push(format_->tokens_->sorted[place->second].bytes);
  return acceptor_.closed();
}

std::shared_ptr<const TokenSet> JsonFormat::allowed(const JsonAcceptor& acceptor) const {
  auto state = acceptor.state();
  if (const auto known = known_.find(state); known != known_.end()) return known->second;
  if (known_.size() >= most_states_kept) known_.clear();
  return known_.emplace(std::move(state), std::make_shared<const TokenSet>(find_allowed(acceptor))).first->second;
}

/// Tries every token; what begins like the one before starts from where the two part.
TokenSet JsonFormat::find_allowed(const JsonAcceptor& acceptor) const {
  TokenSet found(tokens_->vocabulary);
  std::vector<JsonAcceptor> after{acceptor};  // after[n]: behind n bytes of the present token
  std::size_t wrong_at = std::string::npos;   // the byte at which the present beginning failed
  for (const auto& [id, bytes, shared] : tokens_->sorted) {
    if (shared > wrong_at) continue;
    wrong_at = std::string::npos;
    after.resize(shared + 1, acceptor);
    for (std::size_t i = shared; i < bytes.size(); ++i) {
      after.push_back(after.back());
      if (after.back().push(bytes[i])) continue;
      wrong_at = i;
      after.pop_back();
      break;
    }
    if (wrong_at == std::string::npos) found.add(id);
  }
  if (acceptor.complete())
    for (const auto id : tokens_->stop) found.add(id);
  return found;
}

}  // namespace rlhf::generation
