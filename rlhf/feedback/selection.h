#pragma once
#include <cstdint>
#include <functional>

#include "rlhf/feedback/store.h"

namespace rlhf::feedback {

struct SelectionOptions {
  double random_share = 0.3;  // of the questions asked next: chosen uniformly, whatever their score; 0..1
  std::int64_t most = 1000;   // open questions looked at, newest first
  std::uint64_t seed = 0;     // of the uniform choice
};

/// Gives open questions of the store a priority in [0, 1] by their score (ensemble variance, disagreement, ...):
/// greater is asked first. The share chosen uniformly keeps what is asked representative, so that its answers can test
/// a reward model without bias (Christiano et al. 2017, arXiv:1706.03741, ask by ensemble variance; it can do worse
/// than chance).
///
/// Qualification rounds, gold questions and questions whose priority would not change are left alone. Returns how many
/// changed. Throws rlhf::Error (usage) for a share outside [0, 1] and (check) for a score that is no number.
std::int64_t prioritise(Store& store, const std::function<double(const Question&)>& score,
                        const SelectionOptions& options = {});

}  // namespace rlhf::feedback
