#include "rlhf/algorithms/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {

void ScheduleConfig::fields(Fields& f) {
  f.choice("kind", kind, {{"constant", Schedule::constant}, {"linear", Schedule::linear}, {"cosine", Schedule::cosine}},
           "how the learning rate falls: constant, linear to 0, or cosine to 0");
  f.field("warmup", warmup, "steps over which it first rises from 0");
}

void ScheduleConfig::validate() const {
  if (warmup < 0)
    throw Error({.category = Category::usage, .where = "schedule.warmup", .what = std::to_string(warmup) + " is negative", .fix = "Take 0 or more steps."});
}

double scheduled(const ScheduleConfig& config, double peak, std::int64_t step, std::int64_t total) {
  if (step < config.warmup) return peak * static_cast<double>(step) / static_cast<double>(config.warmup);
  const double done = static_cast<double>(step - config.warmup) / static_cast<double>(std::max<std::int64_t>(1, total - config.warmup));
  switch (config.kind) {
    case Schedule::constant: return peak;
    case Schedule::linear: return peak * std::max(0.0, 1 - done);
    case Schedule::cosine: return peak * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, done)));
  }
  return peak;
}

}  // namespace rlhf::algorithms
