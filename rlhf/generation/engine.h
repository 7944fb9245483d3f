#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "rlhf/data/completion.h"
#include "rlhf/data/prompt.h"
#include "rlhf/generation/sampler.h"
#include "rlhf/models/language_model.h"
#include "rlhf/text/bundle.h"

namespace rlhf::generation {

/// Where a call of generate() stands.
struct GenerateProgress {
  std::int64_t finished = 0;   // completions
  std::int64_t sequences = 0;  // completions asked for
  std::int64_t tokens = 0;     // tokens sampled so far
};

/// How completions are made, as far as it does not change what they are.
struct GenerateOptions {
  std::int64_t policy_version = 0;     // goes into every random number and into Completion::policy_version
  bool adapters = true;                // false: as if no LoRA adapter were attached
  std::int64_t slots = 0;              // sequences decoded at once; 0 = as many as are asked for, 64 at most, within cache_bytes
  std::int64_t cache_bytes = 2ll << 30;  // bound on the KV cache when `slots` is 0
  std::int64_t prefill_tokens = 4096;  // prompt tokens per prefill pass (one longer prompt makes a pass of its own)
  std::function<void(const GenerateProgress&)> progress;  // after every step; what it throws ends the call
  /// Every token as it is drawn, for streaming: index of the prompt, index of the sample, token.
  std::function<void(std::size_t prompt, int sample, TokenId token)> on_token;
};

/// Completions of every prompt, `config.num` each, ordered by prompt, then sample.
///
/// Prompts are prefilled packed; prompts with the same ids share one prefill; ended sequences make room for waiting
/// ones. Random numbers are keyed by (seed, policy version, prompt id, sample, token), so a completion does not depend on
/// its neighbours or on the number of slots (beyond rounding of the matrix products, about 1e-6). A prompt id that comes
/// twice in one call continues its sample numbers.
///
/// Throws rlhf::Error for an empty prompt and where prompt and max_new_tokens exceed the model's context.
std::vector<data::Completion> generate(const models::LanguageModel& model, const text::TextBundle& text,
                                       std::span<const data::Prompt> prompts, const SamplingConfig& config,
                                       const GenerateOptions& options = {});

}  // namespace rlhf::generation
