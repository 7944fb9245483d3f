#pragma once
#include "recipes/recursive_reward_modeling/subject.h"
#include "rlhf/environments/ledger.h"

namespace rlhf::recipes {

/// Pages of sums (experiment "Ledger"). A page says more than its reader checks: at a glance a sum looks right when every
/// column does on its own, without what was carried; whether a line is right shows when somebody works it out.
std::unique_ptr<Subject> make_ledger(std::uint64_t seed);

}  // namespace rlhf::recipes
