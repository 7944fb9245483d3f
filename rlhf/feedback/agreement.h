#pragma once
#include <cstdint>

#include "rlhf/feedback/oracle.h"
#include "rlhf/feedback/store.h"

namespace rlhf::feedback {

struct Agreement {
  std::int64_t judged = 0;  // comparisons counted
  std::int64_t agreed = 0;
  double share() const { return judged == 0 ? 0.0 : static_cast<double>(agreed) / static_cast<double>(judged); }
};

/// How often the comparisons in the store name the item that `gold` finds best. Ties, and questions whose gold values
/// are all equal, are left out; of several best items any one counts.
Agreement agreement_with_gold(const Store& store, const GoldFn& gold);

/// How often two annotators who compared the same items chose the same one, over all pairs of them; a tie agrees with a
/// tie.
Agreement agreement_between_annotators(const Store& store);

}  // namespace rlhf::feedback
