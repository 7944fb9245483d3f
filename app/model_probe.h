#pragma once
#include "rlhf/core/tensor.h"
#include "rlhf/core/tokens.h"
#include "rlhf/models/language_model.h"

namespace rlhf::app {

/// A few tokens spread over a vocabulary, the same every time: what two models that should be one are compared on.
TokenIds probe_tokens(std::int64_t vocabulary, std::int64_t count);

/// Log-probabilities [tokens, vocabulary] of the next token after each of `ids`, nats.
Tensor next_token_logprobs(const models::LanguageModel& model, const TokenIds& ids, bool adapters = true);

/// How far two such answers are apart.
struct Distance {
  double largest = 0;        // nats
  double divergence = 0;     // mean KL(left || right), nats a token
  double same_best = 0;      // share of positions whose most probable token is the same
};
Distance distance(const Tensor& left, const Tensor& right);

/// Trainable and other numbers of a model, adapters left out.
std::int64_t parameter_count(const models::LanguageModel& model);

}  // namespace rlhf::app
