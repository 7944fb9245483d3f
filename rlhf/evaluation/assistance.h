#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "rlhf/evaluation/bootstrap.h"
#include "rlhf/feedback/statistics/estimate.h"

namespace rlhf::evaluation {

/// One judgement of a pair whose better item is known, with help or without.
struct AidedJudgement {
  std::string pair;                // the same in all conditions
  bool aided = false;              // was there help?
  bool right = false;              // does it name the better item?
  std::optional<bool> help_right;  // does what the help shows point to the better item? Nothing where it points
                                   // nowhere. Without help: would it have done so? Nothing where nobody knows
  double seconds = 0.0;            // active time
};

/// Does help make the judgements of people better, or only more obedient?
struct AssistanceReport {
  std::optional<feedback::statistics::Estimate> unaided, aided;  // share of right judgements, Wilson intervals
  std::optional<feedback::statistics::Estimate> difference;  // aided - unaided, of all judgements
  std::optional<Interval> uplift;       // aided - unaided on the pairs judged both ways; pairs are drawn whole
  std::optional<double> over_reliance;  // P(wrong | help wrong) - P(wrong | no help, pairs on which help is wrong)
  std::int64_t flipped = 0;             // pairs right without help and wrong with help that was wrong
  std::int64_t help_wrong = 0;          // aided judgements whose help pointed to the worse item
  std::optional<double> unaided_seconds, aided_seconds, seconds_saved;  // mean per judgement; unaided - aided
};

/// `judgements` of one helper and of nobody, in any order; pairs judged one way only count in the shares, not in uplift.
AssistanceReport assistance_report(std::span<const AidedJudgement> judgements, const BootstrapConfig& config = {});

nlohmann::json to_json(const AssistanceReport& report);

/// `first` - `second`, two shares with Wilson's intervals that were measured independently (Newcombe 1998, "Interval
/// estimation for the difference between independent proportions", method 10).
feedback::statistics::Estimate difference_of(const feedback::statistics::Estimate& first,
                                             const feedback::statistics::Estimate& second);

/// How much of the way from the unaided to the best result the aided one covers (Burns et al. 2023, arXiv:2312.09390):
/// 0 = no better than unaided, 1 = the best. NaN where the best is not above the unaided result.
double performance_gap_recovered(double unaided, double aided, double best);

}  // namespace rlhf::evaluation
