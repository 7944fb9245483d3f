#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "rlhf/evaluation/bootstrap.h"

namespace rlhf::evaluation {

/// How often the policy beats the model it started from on the same prompt and sample number.
struct WinRate {
  Interval rate;  // 0..1, ties count half; 0.5 = no better than the start
  std::int64_t wins = 0, ties = 0, losses = 0;
};

/// One scored completion, enough to find its partner.
struct ScoredSample {
  std::string prompt_id;
  int sample = 0;
  double score = 0.0;
};

/// Pairs samples by (prompt, sample number) and clusters the interval by prompt. Throws rlhf::Error when a key appears
/// twice on a side or has no partner on the other. Scores closer than `tie` (>= 0) are a tie.
WinRate win_rate(std::span<const ScoredSample> now, std::span<const ScoredSample> start,
                 const BootstrapConfig& config = {}, double tie = 0.0);

}  // namespace rlhf::evaluation
