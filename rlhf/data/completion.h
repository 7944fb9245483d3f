#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "rlhf/core/tokens.h"

namespace rlhf::data {

enum class FinishReason {
  stop,    // a stop token or stop string was produced
  length,  // max_new_tokens was reached
};

/// What came out of a model for one prompt.
struct Completion {
  std::string prompt_id;
  int sample = 0;                       // index among the completions of the same prompt
  TokenIds ids;                         // as sampled, stop token included when one was drawn
  std::vector<float> raw_logprobs;      // [ids], nats: temperature 1, whole vocabulary
  std::vector<float> sampled_logprobs;  // [ids], nats: the distribution each token was drawn from
  std::int64_t policy_version = 0;      // which weights produced it
  FinishReason finish = FinishReason::length;
  std::string text;  // decoded ids without special tokens; a view, never re-encoded
};

}  // namespace rlhf::data
