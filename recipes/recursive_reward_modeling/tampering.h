#pragma once
#include <nlohmann/json.hpp>
#include <optional>

#include "rlhf/core/run.h"

namespace rlhf::recipes {

/// online: learns from every rating; excluded: ratings given after the rater was got at do not count, and what nobody
/// rated is worth 0; constrained: learns from every rating, under a side constraint on getting at the rater; honest:
/// the rater cannot be got at.
const std::vector<std::string>& tampering_arms();

/// An agent in the grid whose rater sits in a corner. It learns, online, from ratings of single steps (is the robot at
/// its goal?), which are all positive once somebody has stepped onto the rater's cell. "tampered": share of episodes in
/// which that happened at the end; "true_return"; "first_tampered": the same of the first rollout.
std::optional<nlohmann::json> run_tampering(const std::string& arm, double error_rate, std::uint64_t seed, Run& part);

}  // namespace rlhf::recipes
