#pragma once
#include "rlhf/core/tensor.h"

namespace rlhf::models {

struct TokenLogprobs {
  Tensor logprobs;  // [positions], nats; differentiable
  Tensor entropy;   // [positions], nats; undefined unless asked for; no gradient flows through it
  Tensor likeliest; // [positions], bool: no other token has a larger logit than the target
};

struct TokenLogprobsOptions {
  double temperature = 1.0;      // logits are divided by it
  bool entropy = false;          // also the entropy of each distribution
  bool sum_only = false;         // the loss depends on the sum of the logprobs alone: a backward pass without logits
  std::int64_t chunk = 0;        // rows handled at once; 0 = chosen so that a chunk of logits fits in a few MiB
};

/// Log-probability of each target under the LM head, without ever making [positions, vocabulary].
///
///   hidden   [positions, width]       hidden states at the positions that predict
///   weight   [vocabulary, width]      the LM head
///   targets  [positions], int64       the token that came next
///
/// Logits are computed and dropped chunk by chunk, forward and backward; softmax is in float32.
/// Gradients reach `hidden`, and `weight` when it requires them. With `sum_only`, gradients that differ from position to
/// position throw rlhf::Error (failure).
TokenLogprobs token_logprobs(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                             const TokenLogprobsOptions& options = {});

}  // namespace rlhf::models
