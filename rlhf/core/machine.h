#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace rlhf {

/// What results to the bit depend on: {"binary": sha256, "torch", "cpu_features": [...], "cpu_capability", "threads"}.
nlohmann::json exactness_of_machine();

/// For run.json: the above, and the release, compiler, host, system, processor, cores, memory.
nlohmann::json describe_machine();

std::string host_name();
std::string release();  // "0.1.0"

/// One line per difference between two results of exactness_of_machine: "threads: 2 then, 4 now".
std::vector<std::string> differences(const nlohmann::json& then, const nlohmann::json& now);

}  // namespace rlhf
