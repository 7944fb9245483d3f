#pragma once
#include "recipes/recursive_reward_modeling/subject.h"
#include "rlhf/environments/ledger.h"

namespace rlhf::recipes {

/// How clerks err whose pages are demonstrated and practised on. With the defaults 10.6 of twelve lines are right. A
/// helper is of use where faults are as few as the lines that are worked out: of two pages with more wrong lines than
/// that, even true hints show equally many.
struct ClerkConfig {
  double forgets_carry = 0.15;  // of the carries
  double careless = 0.02;       // of the characters: any digit instead

  void fields(Fields& f);
  void validate() const;
};

/// Pages of sums (experiment "Ledger"). A page says more than its reader checks: at a glance a sum looks right when
/// every column does on its own, without what was carried; whether a line is right shows when somebody works it out.
std::unique_ptr<Subject> make_ledger(const ClerkConfig& clerk, std::uint64_t seed);

}  // namespace rlhf::recipes
