#include "rlhf/models/batch.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "rlhf/core/error.h"

namespace rlhf::models {

Batch pack(std::span<const TokenIds> sequences) {
  if (sequences.empty()) {
    throw Error({.category = Category::bad_data, .where = "models.pack", .what = "there is no sequence to pack", .fix = {}});
  }
  Batch batch;
  batch.starts.reserve(sequences.size() + 1);
  batch.starts.push_back(0);
  for (const auto& sequence : sequences) {
    if (sequence.empty()) {
      throw Error({.category = Category::bad_data,
                   .where = "models.pack, sequence " + std::to_string(batch.starts.size() - 1),
                   .what = "the sequence has no token",
                   .fix = "Drop empty rows before they reach the model."});
    }
    batch.starts.push_back(batch.starts.back() + static_cast<std::int64_t>(sequence.size()));
  }
  batch.ids = at::empty({batch.tokens()}, at::kLong);
  batch.positions = at::empty({batch.tokens()}, at::kLong);
  auto* ids = batch.ids.mutable_data_ptr<std::int64_t>();
  auto* positions = batch.positions.mutable_data_ptr<std::int64_t>();
  for (const auto& sequence : sequences) {
    ids = std::copy(sequence.begin(), sequence.end(), ids);
    std::iota(positions, positions + sequence.size(), std::int64_t{0});
    positions += sequence.size();
  }
  return batch;
}

}  // namespace rlhf::models
