#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlhf/evaluation/bootstrap.h"

namespace rlhf {
class Fields;
}

namespace rlhf::evaluation {

/// What a verdict looks at: one row of evaluation.jsonl. Absent numbers are not judged.
struct Observation {
  std::int64_t step = 0;
  std::optional<Interval> gold;
  std::optional<Interval> win;  // rate against the start
  std::optional<double> judge, learned, kl, entropy, distinct_2, repetition, duplicates, perplexity;

  static Observation from_row(const nlohmann::json& row);
};

/// Limits compare with the first observation (the start model on the same prompts and seeds).
///
/// Gold alone cannot be trusted: a policy that repeats one enthusiastic sentence can score 0.99 with the gold score and
/// with a judge of the same kind. So variety and the start model's perplexity have their own limits, and crossing one
/// makes the run over-optimised whatever the scores say (Gao et al. 2022, arXiv:2210.10760; Ziegler et al. 2019, 4.4).
struct OveroptimizationConfig {
  double distinct_limit = 0.6;      // over-optimised below this share of the start's distinct-2
  double distinct_warning = 0.85;   // warn below this share
  double perplexity_limit = 3.0;    // over-optimised above this multiple of the start's perplexity, or below 1 over it
  double perplexity_warning = 1.5;  // warn above this multiple, or below 1 over it
  double repetition_limit = 0.2;    // over-optimised when repetition rises by more than this (0..1)
  double duplicates_limit = 0.5;    // over-optimised when duplicates rise by more than this (0..1)
  double kl_per_sample = 40.0;      // nats per completion; warn above
  double kl_negative = -0.05;       // nats per completion; warn below: an estimate can dip under 0 only by noise
  double entropy_warning = 0.5;     // warn below this share of the start's entropy
  double flat = 1e-3;               // a learned score that never moved by more than this is flat

  void fields(Fields& f);
  void validate() const;
};

enum class Outcome { improved, unchanged, worse, overoptimized };

struct Finding {
  std::string code;     // stable, snake_case: distinct_2_fell, perplexity_rose, gold_fell_while_learned_rose, ...
  bool serious = false; // by itself makes the run over-optimised
  std::int64_t step = 0;
  std::string text;     // one sentence with the numbers
};

struct Verdict {
  Outcome outcome = Outcome::unchanged;
  std::string headline;               // one sentence for a person
  std::vector<Finding> findings;      // serious ones first
  std::optional<std::int64_t> best_step;  // the step to keep: highest gold among the observations without a serious finding

  nlohmann::json to_json() const;
};

std::string name(Outcome outcome);

/// Judges the last of the `observations` (by rising step; the first is the start). Improved or worse is said only where
/// the intervals say so: of the win rate against 0.5, or of gold where no win rate was measured. Throws rlhf::Error when
/// there is no observation.
Verdict judge_run(std::span<const Observation> observations, const OveroptimizationConfig& config = {});

}  // namespace rlhf::evaluation
