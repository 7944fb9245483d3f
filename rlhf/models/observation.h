#pragma once
#include <vector>

#include "rlhf/core/tensor.h"
#include "rlhf/environments/environment.h"

namespace rlhf::models {

/// Turns observations into what networks read:
///
///   float32, float64  as they are
///   uint8             pictures [channels, height, width], divided by 255
///   int64             indices: one unit for each value that each of the numbers can take (bounds must be finite)
class Encoder {
 public:
  /// Throws rlhf::Error (usage) for indices without bounds, or with more than 100,000 values in all.
  explicit Encoder(const environments::Spec& spec);

  const std::vector<std::int64_t>& shape() const { return shape_; }  // of one encoded observation

  /// [rows, ...] -> [rows, shape...] float32
  Tensor operator()(const Tensor& observations) const;

 private:
  environments::Dtype dtype_;
  std::vector<std::int64_t> shape_;
  std::vector<std::int64_t> lows_, begins_;  // of each index: its smallest value and its first unit
};

}  // namespace rlhf::models
