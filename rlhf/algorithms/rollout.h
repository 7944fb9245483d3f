#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlhf/algorithms/kl.h"
#include "rlhf/algorithms/target_batch.h"
#include "rlhf/core/fields.h"
#include "rlhf/data/completion.h"
#include "rlhf/data/prompt.h"
#include "rlhf/rewards/score.h"

namespace rlhf::algorithms {

/// Where a completion ends, and what one is worth that never does.
struct StopConfig {
  std::vector<std::int64_t> tokens;     // a completion is cut behind the first of these; none = only where sampling stopped
  std::int64_t after = 0;               // ... at this place in the completion or later, counted from 0
  std::optional<double> missing_score;  // replaces the score of a completion without an end (-1 in Ziegler et al. 2019)

  void fields(Fields& f);
};

/// Turns token ids into text, for completions that were cut after they were sampled.
using DecodeFn = std::function<std::string(std::span<const TokenId>)>;

/// The completion up to and including its stop token, and whether it has one. The text is decoded again where it was cut.
struct Stopped {
  data::Completion completion;
  bool stopped = false;
};
Stopped cut_at_stop(const data::Completion& completion, const StopConfig& config, const DecodeFn& decode);

/// One batch of completions and all that the update needs to know about them. Completions lie end to end: [tokens] counts
/// completion tokens only, sequence i has starts[i] .. starts[i+1].
struct Rollout {
  std::vector<data::Prompt> prompts;            // one a completion
  std::vector<data::Completion> completions;    // what is learnt from
  std::vector<data::Example> examples;          // prompt and completion, mask over the completion
  std::vector<std::int64_t> starts;             // [completions + 1]
  std::vector<std::vector<TargetBatch>> parts;  // minibatches of the first epoch, each in pieces that fit the token budget
  Tensor logprobs;                              // [tokens], the policy's when the batch was made
  Tensor reference_logprobs;                    // [tokens]
  Tensor values;                                // [tokens]
  Tensor entropy;                               // [tokens], nats

  std::int64_t size() const { return static_cast<std::int64_t>(completions.size()); }
  std::int64_t tokens() const { return starts.back(); }
};

/// Lays out prompts[i] with completions[i]. Throws rlhf::Error when a completion is empty.
Rollout lay_out(std::vector<data::Prompt> prompts, std::vector<data::Completion> completions);

/// Cuts the completions in the given order into minibatches, and those into pieces of at most `micro_tokens`.
std::vector<std::vector<TargetBatch>> partition(const Rollout& rollout, std::span<const std::int64_t> order,
                                                std::int64_t minibatches, std::int64_t micro_tokens);

/// Scores and KL of a batch as the reward of each token.
struct PenalisedRewards {
  Tensor rewards;              // [tokens]: -coefficient * kl, and the score on each completion's last token
  std::vector<double> kl;      // [completions], nats: summed over the completion
  double mean_kl = 0, mean_score = 0;
  double mean_reward = 0;      // of the sum over a completion
};
PenalisedRewards penalise_kl(std::span<const rewards::Score> scores, const Rollout& rollout, KlEstimator estimator, double coefficient);

/// How far the logprobs of sampling are from those of training: |difference| over all tokens.
struct Mismatch {
  double mean = 0, max = 0;  // nats
};
Mismatch sampling_mismatch(const Rollout& rollout);

}  // namespace rlhf::algorithms
