#include "rlhf/algorithms/table.h"

#include "rlhf/algorithms/jobs.h"
#include "rlhf/core/error.h"

namespace rlhf::algorithms {

AlgorithmTable builtin_algorithms(models::ModelTable models, rewards::RewardTable rewards) {
  return {
      {"sft", [models] { return make_sft_job(models); }},
      {"reward_model", [models] { return make_reward_model_job(models); }},
      {"ppo", [models, rewards] { return make_ppo_job(models, rewards); }},
  };
}

std::unique_ptr<Job> find_algorithm(const AlgorithmTable& table, std::string_view name) {
  const auto found = table.find(name);
  if (found != table.end()) return found->second();
  std::string known;
  for (const auto& [each, make] : table) known += (known.empty() ? "" : ", ") + each;
  throw Error({.category = Category::usage, .where = "train", .what = "there is no algorithm \"" + std::string(name) + "\"", .fix = "There are: " + known + "."});
}

}  // namespace rlhf::algorithms
