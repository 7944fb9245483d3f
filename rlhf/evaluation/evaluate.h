#pragma once
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <vector>

#include "rlhf/data/completion.h"
#include "rlhf/data/prompt.h"
#include "rlhf/evaluation/agreement.h"
#include "rlhf/evaluation/bootstrap.h"
#include "rlhf/evaluation/calibration.h"
#include "rlhf/evaluation/text_metrics.h"
#include "rlhf/evaluation/win_rate.h"

namespace rlhf::evaluation {

/// Scores completions[i] as an answer to prompts[i] (a plain number: evaluation does not know where it comes from).
using ScoreFn = std::function<std::vector<double>(std::span<const data::Prompt>, std::span<const data::Completion>)>;

/// What models say about one completion, summed over its tokens, in nats.
struct TokenSums {
  std::int64_t tokens = 0;
  double start_logprob = 0.0;   // log p of the completion under the model the run started from
  double policy_logprob = 0.0;  // log p under the policy that wrote it, temperature 1
  double entropy = 0.0;         // of the policy's next-token distributions, summed
};
using MeasureFn =
    std::function<std::vector<TokenSums>(std::span<const data::Prompt>, std::span<const data::Completion>)>;

/// Completions of the evaluation prompts with everything known about them. A vector is empty when its source is absent,
/// otherwise it has one value a completion.
struct ScoredCompletions {
  std::vector<data::Completion> completions;
  std::vector<double> gold, learned, judge;
  std::vector<TokenSums> sums;
};

/// Where an evaluation gets its numbers. Only `generate` must be there.
struct Sources {
  std::function<std::vector<data::Completion>(std::span<const data::Prompt>)> generate;  // num samples a prompt
  ScoreFn gold;     // what we want; never trained on when `learned` is there
  ScoreFn learned;  // what the policy is trained on
  ScoreFn judge;    // a second opinion that nothing is trained on
  MeasureFn measure;
};

struct EvaluationConfig {
  BootstrapConfig bootstrap;
  double tie = 0.0;  // gold scores closer than this are a tie in the win rate

  void fields(Fields& f);
  void validate() const;
};

/// One row of evaluation.jsonl. What could not be measured is absent, in the struct and in the row.
struct EvaluationResult {
  std::int64_t step = 0;
  std::int64_t prompts = 0, samples = 0;
  std::optional<Interval> gold;
  std::optional<double> learned, judge;
  std::optional<WinRate> win;            // by gold, against the start
  std::optional<double> judge_win_rate;  // by the judge, against the start
  std::optional<double> kl;              // nats per completion: mean of log p_policy - log p_start
  std::optional<double> entropy;         // nats per token
  std::optional<double> perplexity;      // of the completions under the start model, per token
  double length = 0.0;                   // mean tokens
  double truncated = 0.0;                // share that ended because max_new_tokens was reached
  TextMetrics text;
  std::optional<Agreement> agreement;      // of learned with gold
  std::optional<Calibration> calibration;  // of learned with gold

  nlohmann::json to_row() const;
};

/// Generates and scores: the same code at step 0, in between, at the end, and in `rlhf evaluate`.
/// Throws rlhf::Error when a source returns another number of values than there are completions.
ScoredCompletions answer(std::span<const data::Prompt> prompts, const Sources& sources);

/// Numbers from scored completions; pure. `start` holds the completions of the model the run began with for the same
/// prompts and sample numbers (at step 0: the same object). Throws rlhf::Error when there is no completion.
EvaluationResult evaluate(std::int64_t step, const ScoredCompletions& start, const ScoredCompletions& now,
                          const EvaluationConfig& config = {});

/// One row of samples.jsonl for each completion.
std::vector<nlohmann::json> sample_rows(std::int64_t step, std::span<const data::Prompt> prompts,
                                        const ScoredCompletions& scored);

}  // namespace rlhf::evaluation
