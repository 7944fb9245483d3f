#pragma once
#include "rlhf/feedback/kinds.h"

namespace rlhf::feedback {

/// Whether an answer says what the question's gold answer says: the same best item (or that there is none), the same
/// groups, the same verdicts; ratings within an eighth of the scale. Only the form's first part counts. A skip is never
/// right. Throws rlhf::Error (usage) when the question has no gold answer.
bool is_right(const Answer& answer, const Question& question);

}  // namespace rlhf::feedback
