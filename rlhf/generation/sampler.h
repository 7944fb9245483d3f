#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rlhf/core/tokens.h"
#include "rlhf/generation/token_set.h"

namespace rlhf {
class Fields;
}

namespace rlhf::generation {

/// How completions are drawn. Names and meaning follow transformers' GenerationConfig; the defaults draw from the model's
/// own distribution, as reinforcement learning wants it. Processors apply in transformers' order: repetition penalty (then
/// presence and frequency penalty and logit bias, which transformers lacks), temperature, top-k, top-p, min-p.
struct SamplingConfig {
  std::int64_t max_new_tokens = 64;     // tokens a completion may have, the stop token included
  bool greedy = false;                  // always the most probable token; temperature and filters are then unused
  double temperature = 1;               // logits are divided by it; > 0
  double top_p = 1;                     // (0, 1]: the smallest set of tokens with at least this mass (Holtzman et al. 2020)
  double min_p = 0;                     // [0, 1]: drops tokens below this share of the best token's probability
  double repetition_penalty = 1;        // > 0: divides positive and multiplies negative logits of tokens already seen (CTRL)
  double presence_penalty = 0;          // taken from the logit of each token that the completion already has (OpenAI)
  double frequency_penalty = 0;         // the same, once for each time it has come
  std::vector<std::pair<TokenId, float>> logit_bias;  // added to logits; for programs, not a flag
  std::int64_t top_k = 0;               // the k most probable tokens; 0 = no limit
  std::vector<std::string> stop;        // texts that end a completion; they are left out of its text
  std::vector<std::int64_t> stop_ids;   // tokens that end it, besides the model's own
  std::int64_t num = 1;                 // completions per prompt
  std::uint64_t seed = 0;
  bool ignore_eos = false;              // the model's own stop tokens do not end a completion (stop and stop_ids still do)

  void fields(Fields& f);
  void validate() const;                // throws rlhf::Error naming the field, the value and the range
};

/// A token and its raw logprob: nats, temperature 1, whole vocabulary.
struct TokenLogprob {
  TokenId token = 0;
  float logprob = 0;
};

/// One token drawn, with what importance ratios need.
struct Draw {
  TokenId token = 0;
  float raw_logprob = 0;      // nats: temperature 1, whole vocabulary, no filter
  float sampled_logprob = 0;  // nats: the distribution it was drawn from; 0 when greedy
  std::vector<TokenLogprob> top;  // DrawKey::top of them, most probable first
};

/// What one draw depends on, and nothing else: never on the place of the row in a batch.
struct DrawKey {
  std::int64_t row = 0;            // which row of the logits; several draws may share one
  std::uint64_t key = 0;           // derive(seed, {policy version, prompt, sample})
  std::uint64_t index = 0;         // place of the token in its completion
  const SamplingConfig* config = nullptr;
  std::span<const TokenId> seen{};     // prompt and completion so far; read by the penalties only
  std::size_t prompt = 0;              // how many of `seen` are the prompt
  const TokenSet* allowed = nullptr;   // only these may be drawn; null = all
  int top = 0;                         // how many of the most probable tokens to report
};

/// Does this config read DrawKey::seen?
bool reads_seen(const SamplingConfig& config);

/// Draws one token per key, each by its own config.
///
///   logits  [rows, vocabulary]  float32, row after row; not changed
///
/// A row is read once when nothing filters it. Ties at the edge of top-k are all kept, as transformers keeps them; ties at
/// the edge of top-p go to the lower token id. Throws rlhf::Error when a row has no finite logit or holds a NaN.
std::vector<Draw> draw_tokens(const float* logits, std::int64_t vocabulary, std::span<const DrawKey> keys);

/// The whole distribution a token is drawn from, in nats, -inf where a filter removed it. The plain version of the same
/// rules, for tests. Reads of the key what changes the distribution: seen, prompt, config and allowed.
std::vector<double> sampled_distribution(std::span<const float> logits, const DrawKey& key);

}  // namespace rlhf::generation
