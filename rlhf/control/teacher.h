#pragma once
#include <memory>

#include "rlhf/core/fields.h"
#include "rlhf/data/segment.h"
#include "rlhf/feedback/labeler.h"

namespace rlhf::control {

/// How a simulated teacher of clips errs (Lee et al. 2021, B-Pref, arXiv:2111.03026). With the defaults it always
/// prefers the clip whose true rewards sum to more, and calls equal sums a tie.
struct TeacherConfig {
  double rationality = 0.0;    // chance of the first: sigmoid(rationality * difference); 0 = the better one, always
  double discount = 1.0;       // of steps long before the clip's end: a teacher who remembers the last ones best
  double error_rate = 0.0;     // share of answers turned round
  double skip_below = -1e300;  // skips a pair when neither sum reaches this: nothing worth judging happened
  double tie_within = 0.0;     // a tie when the sums differ by at most this
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

/// The sum that the teacher compares: discount^(steps to the end) * true reward.
double judged_return(const data::Segment& segment, double discount);

/// Answers questions on pairs of clips from the true rewards that their segments hold. The answer is a function of
/// (seed, question id) and of the clips. Throws rlhf::Error (bad_data) for an item without a segment.
std::unique_ptr<feedback::Labeler> make_teacher(const TeacherConfig& config);

}  // namespace rlhf::control
