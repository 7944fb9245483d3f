#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "rlhf/algorithms/job.h"
#include "rlhf/models/language_model.h"
#include "rlhf/rewards/table.h"

namespace rlhf::algorithms {

/// What `rlhf train NAME` can run. A value that a user's own program extends and passes on:
///
///   auto table = builtin_algorithms();
///   table["mine"] = [] { return std::make_unique<MyJob>(); };
using AlgorithmTable = std::map<std::string, std::function<std::unique_ptr<Job>()>, std::less<>>;

/// sft, reward_model, ppo; with the models and rewards that their settings may name.
AlgorithmTable builtin_algorithms(models::ModelTable models = models::builtin_models(),
                                  rewards::RewardTable rewards = rewards::builtin_rewards());

/// A new job; throws rlhf::Error naming the known ones when `name` is not in the table.
std::unique_ptr<Job> find_algorithm(const AlgorithmTable& table, std::string_view name);

}  // namespace rlhf::algorithms
