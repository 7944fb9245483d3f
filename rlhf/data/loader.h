#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "rlhf/core/fields.h"

namespace rlhf::data {

/// Puts rows into as few bins of at most `budget` tokens as first-fit decreasing finds. Each row lands in one bin.
/// Rows keep their order inside a bin and bins are ordered by their first row, so the result depends on nothing else.
/// Throws rlhf::Error when a row alone is over the budget. Returns indices into `lengths`.
std::vector<std::vector<std::int64_t>> pack_rows(std::span<const std::int64_t> lengths, std::int64_t budget);

struct LoaderConfig {
  std::int64_t batch = 32;           // rows per optimiser step
  std::int64_t micro_tokens = 2048;  // tokens per forward pass; 0 = all rows of a step at once
  bool shuffle = true;               // a new order each epoch; false: the file's order
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

/// One optimiser step's rows.
struct Step {
  std::int64_t epoch = 0;
  std::vector<std::int64_t> rows;                        // indices of rows, in the epoch's order
  std::vector<std::vector<std::int64_t>> micro_batches;  // the same rows, packed
};

/// Goes through a data set epoch after epoch. The order of an epoch is a function of (seed, epoch), so a cursor of two
/// numbers restores it to the bit. The last step of an epoch has fewer rows when `batch` does not divide the set.
class Loader {
 public:
  /// lengths[i]: tokens of row i. Throws rlhf::Error when there is no row, or one is over the budget.
  Loader(std::vector<std::int64_t> lengths, LoaderConfig config);

  Step next();

  std::int64_t rows() const { return static_cast<std::int64_t>(lengths_.size()); }
  std::int64_t steps_per_epoch() const;

  /// Where the next step begins. `restore` throws rlhf::Error when the cursor is of other data or other settings.
  nlohmann::json cursor() const;
  void restore(const nlohmann::json& cursor);

 private:
  void start_epoch(std::int64_t epoch);
  std::uint64_t fingerprint() const;

  std::vector<std::int64_t> lengths_;
  LoaderConfig config_;
  std::int64_t epoch_ = 0, position_ = 0;
  std::vector<std::int64_t> order_;
};

}  // namespace rlhf::data
