#pragma once
#include <vector>

#include "rlhf/core/run.h"
#include "rlhf/data/prompt.h"
#include "rlhf/evaluation/evaluate.h"
#include "rlhf/evaluation/overoptimization.h"
#include "rlhf/generation/sampler.h"
#include "rlhf/models/language_model.h"
#include "rlhf/rewards/score.h"
#include "rlhf/text/bundle.h"

namespace rlhf::recipes {

/// The policy and what it started as.
struct PolicyPair {
  const models::LanguageModel& policy;
  const models::LanguageModel* reference = nullptr;  // null: the policy with its adapters off
};

/// Scores an evaluation reports. `learned` may be empty.
struct EvaluationScores {
  rewards::RewardFn gold, learned, judge;
};

struct PeriodicEvaluationConfig {
  std::int64_t samples = 10;   // completions per held-out prompt
  std::int64_t shown = 2;      // of these, written to samples.jsonl
  evaluation::EvaluationConfig evaluation;
  evaluation::OveroptimizationConfig verdict;

  void fields(Fields& f);
};

/// Evaluates the policy on held-out prompts as training goes on, always with the same random numbers, against the
/// completions of the model it started as. Keeps evaluation.jsonl, samples.jsonl and verdict.json of the run.
class PeriodicEvaluation {
 public:
  PeriodicEvaluation(PolicyPair models, const text::TextBundle& text, std::vector<data::Prompt> prompts,
                     generation::SamplingConfig sampling, EvaluationScores scores, PeriodicEvaluationConfig config, Run& run);

  /// Evaluates after `updates` updates of the policy; 0 is the start itself.
  void at(std::int64_t updates);

  const evaluation::EvaluationResult& first() const { return results_.front(); }
  const evaluation::EvaluationResult& last() const { return results_.back(); }

  /// Judges all evaluations so far, writes verdict.json.
  evaluation::Verdict verdict() const;

 private:
  evaluation::ScoredCompletions answers(bool adapters) const;
  std::vector<evaluation::TokenSums> measure(std::span<const data::Prompt> prompts,
                                             std::span<const data::Completion> completions, bool adapters) const;
  void write_rows() const;

  PolicyPair models_;
  const text::TextBundle& text_;
  std::vector<data::Prompt> prompts_;
  generation::SamplingConfig sampling_;
  EvaluationScores scores_;
  PeriodicEvaluationConfig config_;
  Run& run_;
  evaluation::ScoredCompletions start_;
  std::vector<evaluation::EvaluationResult> results_;
  std::vector<nlohmann::json> rows_;
};

}  // namespace rlhf::recipes
