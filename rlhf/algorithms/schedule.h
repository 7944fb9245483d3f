#pragma once
#include <cstdint>

#include "rlhf/core/fields.h"

namespace rlhf::algorithms {

enum class Schedule { constant, linear, cosine };

struct ScheduleConfig {
  Schedule kind = Schedule::linear;  // linear and cosine end at 0
  std::int64_t warmup = 0;           // steps over which the rate first rises from 0 in a straight line

  void fields(Fields& f);
  void validate() const;
};

/// The learning rate of a step (0-based) out of `total`, as Hugging Face's schedules of these names compute it: without
/// warm-up, step 0 has the full rate and step `total` would have none.
double scheduled(const ScheduleConfig& config, double peak, std::int64_t step, std::int64_t total);

}  // namespace rlhf::algorithms
