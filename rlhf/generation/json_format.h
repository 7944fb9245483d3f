#pragma once
#include <memory>
#include <string>
#include <unordered_map>

#include "rlhf/generation/json_acceptor.h"
#include "rlhf/generation/json_grammar.h"
#include "rlhf/generation/token_bytes.h"
#include "rlhf/generation/token_set.h"

namespace rlhf::generation {

/// Completions that are JSON: which tokens may come next at each point. The rest of the distribution is renormalised, so
/// that a draw is one of the model's own continuations of the required form.
///
/// A completion that reaches max_new_tokens may be cut off in the middle; one that ends with FinishReason::stop is whole.
/// The set of tokens for a state is found once (a few ms) and kept: inside a string it is the same for most tokens. For one
/// thread at a time, that of the decoding loop.
class JsonFormat {
 public:
  JsonFormat(JsonGrammar grammar, std::shared_ptr<const TokenBytes> tokens);

  /// Where one completion stands.
  class Cursor {
   public:
    explicit Cursor(std::shared_ptr<const JsonFormat> format) : format_(std::move(format)), acceptor_(format_->grammar_) {}

    std::shared_ptr<const TokenSet> allowed() const { return format_->allowed(acceptor_); }

    /// Takes a token of allowed(); true when it ends the text.
    bool push(TokenId token);

   private:
    std::shared_ptr<const JsonFormat> format_;
    JsonAcceptor acceptor_;
  };

 private:
  std::shared_ptr<const TokenSet> allowed(const JsonAcceptor& acceptor) const;
  TokenSet find_allowed(const JsonAcceptor& acceptor) const;

  JsonGrammar grammar_;
  std::shared_ptr<const TokenBytes> tokens_;
  std::unordered_map<TokenId, std::size_t> place_of_;                                // in tokens_->sorted
  mutable std::unordered_map<std::string, std::shared_ptr<const TokenSet>> known_;  // by the acceptor's state
};

}  // namespace rlhf::generation
