#pragma once
#include <functional>
#include <vector>

#include "rlhf/data/readers/shape.h"

namespace rlhf::data {

/// Calls `use` with each row, after making sure that it has the shape of the first one (or the format asked for).
/// Throws rlhf::Error when there is no row at all.
void each_row(JsonlReader& reader, const ReadOptions& options, const std::vector<RowShape>& accepted,
              const std::function<void(const JsonlRow&, RowShape)>& use);

}  // namespace rlhf::data
