#pragma once
// What a worker says of its environment. Private to environments.
#include "rlhf/environments/worker.h"

namespace rlhf::environments {

/// The Spec in a worker's answer to "make":
///
///   {"version": 1, "observation": {box}, "action": {box} or {"choices": [...]}, "max_steps": 500, "step_seconds": 0.02,
///    "state": true, "render": true}     box: {"dtype", "shape", "low", "high"[, "stack"]}, infinities "inf", "-inf"
///
/// Throws rlhf::Error (bad_data) naming what is missing or makes no sense.
Spec spec_of_worker(const nlohmann::json& said, const WorkerProgram& program);

}  // namespace rlhf::environments
