#pragma once
#include "rlhf/environments/vector.h"

namespace rlhf::environments {

/// The same environments, of whose observations only some numbers are seen: tasks that need a memory. `numbers` are
/// indices into an observation of one dimension; the spec says so, under settings.observe. Throws rlhf::Error (usage)
/// for other observations and for numbers that there are not.
std::unique_ptr<VectorEnvironment> partly_seen(std::unique_ptr<VectorEnvironment> environments,
                                               const std::vector<std::int64_t>& numbers);

}  // namespace rlhf::environments
