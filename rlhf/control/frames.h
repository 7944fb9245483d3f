#pragma once
#include <functional>
#include <unordered_map>

#include "rlhf/core/checkpoint.h"
#include "rlhf/environments/environment.h"

namespace rlhf::control {

/// Observations at numbered places, in the environment's dtype. Of a stack of pictures (Box::stack) only the newest is
/// kept at each place; the others are found at the places before, back to where an episode begins, whose stack is kept
/// whole: four pictures cost the memory of one.
class Frames {
 public:
  explicit Frames(const environments::Spec& spec);

  /// Rows are like those of `observations` [rows, ...].
  void allocate(const Tensor& observations, std::int64_t places);
  bool allocated() const { return parts_.defined(); }
  std::int64_t places() const { return parts_.size(0); }
  Tensor rows(std::int64_t count) const;  // [count, ...], uninitialised

  /// Row `from` of observations [rows, ...] was seen at `place`; `begins` where the place before did not lead to it.
  void put(const Tensor& observations, std::int64_t from, std::int64_t place, bool begins);

  /// The place of the step before, asked for only where one led to the other.
  using Before = std::function<std::int64_t(std::int64_t place)>;
  void copy(std::int64_t place, const Before& before, const Tensor& to, std::int64_t row) const;

  /// What was seen at the place before is about to be replaced.
  void begin_at(std::int64_t place, const Before& before);

  /// The first `used` places.
  void save(State& state, const std::string& prefix, std::int64_t used) const;
  void restore(const State& state, const std::string& prefix);

 private:
  std::int64_t stack_;
  std::vector<std::int64_t> row_shape_;  // [...] of one observation
  std::size_t row_bytes_ = 0, part_bytes_ = 0;
  Tensor parts_;                                     // [places, ...] newest picture of each; whole without a stack
  std::unordered_map<std::int64_t, Tensor> wholes_;  // [1, ...] where episodes begin; empty without a stack
};

}  // namespace rlhf::control
