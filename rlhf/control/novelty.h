#pragma once
#include <string>

#include "rlhf/core/checkpoint.h"
#include "rlhf/core/tensor.h"

namespace rlhf::control {

/// A reward for going where one has not been: what an agent explores by before anybody is asked anything, so that the
/// first clips show more than one way to stand still (PEBBLE, Lee et al. 2021, arXiv:2106.05091, section 4.1).
///
///   reward(s) = log(1 + distance from s to its k-th nearest of the states remembered)
///
/// in units of each number's standard deviation over them. The paper's estimate of entropy has log(distance), which is
/// minus infinity in a state that was met before.
class Novelty {
 public:
  /// `kept`: states remembered, the newest. The more, the longer a minibatch takes.
  explicit Novelty(std::int64_t neighbour = 5, std::int64_t kept = 4096) : neighbour_(neighbour), kept_(kept) {}

  /// Observations [rows, ...] that were made.
  void remember(const Tensor& observations);

  /// [rows, ...] -> [rows] float32; zeros while fewer than `neighbour` states are known.
  Tensor rewards(const Tensor& observations) const;

  std::int64_t version() const { return version_; }  // grows with every remember()

  void save(State& state, const std::string& prefix) const;
  void restore(const State& state, const std::string& prefix);

 private:
  Tensor scaled(const Tensor& observations) const;

  std::int64_t neighbour_, kept_, version_ = 0;
  Tensor states_;     // [states, width]
  Tensor deviation_;  // [width]
};

}  // namespace rlhf::control
