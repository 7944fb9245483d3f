#pragma once
#include <cstdint>
#include <functional>

#include "rlhf/feedback/store.h"

namespace rlhf::feedback {

/// Calls `use` with each answer that stands (not taken back, not revised, no skip) among the events up to and including `until`
/// (-1 = all), in commit order, together with its question. Returns the sequence number read up to.
std::int64_t each_judgement(const Store& store, std::int64_t until,
                            const std::function<void(const Question&, const Event&)>& use);

}  // namespace rlhf::feedback
