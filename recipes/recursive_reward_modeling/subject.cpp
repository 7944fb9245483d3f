#include "recipes/recursive_reward_modeling/subject.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>

#include "rlhf/control/film.h"
#include "rlhf/environments/table.h"

namespace rlhf::recipes {

Trainee::Trainee(const Subject& subject, const models::ActorCriticConfig& agent, const control::PpoConfig& ppo)
    : subject_(subject),
      ppo_(ppo),
      environments_(subject.environments(ppo.envs)),
      agent_(environments_->spec(), agent),
      optimizer_(agent_.weights(), ppo.adam),
      collector_(*environments_, agent_, ppo.steps, ppo.seed) {
  subject.demonstrate(agent_);
}

void Trainee::learn(const control::RewardEnsemble& reward, std::int64_t rollouts) {
  for (std::int64_t i = 0; i < rollouts; ++i) {
    auto rollout = collector_.collect();
    const auto observations = rollout.flat(rollout.observations), actions = rollout.flat(rollout.actions);
    std::vector<Tensor> inputs;
    for (std::size_t sequence = 0; sequence + 1 < rollout.starts.size(); ++sequence) {
      const auto begin = rollout.starts[sequence], length = rollout.starts[sequence + 1] - begin;
      inputs.push_back(subject_.inputs_of(observations.narrow(0, begin, length), actions.narrow(0, begin, length),
                                          rollout.places[static_cast<std::size_t>(begin)].step));
    }
    rollout.rewards = reward.rewards(at::cat(inputs)).view_as(rollout.rewards);
    control::update(agent_, optimizer_, rollout, ppo_, rollouts_++);
  }
}

std::vector<Output> Trainee::outputs(std::int64_t count, std::uint64_t seed) const {
  constexpr std::int64_t side_by_side = 16;
  const auto environments = subject_.environments(side_by_side);
  const auto longest = environments->spec().max_steps - 1;  // episodes of subjects end by themselves, before the limit
  control::Collector collector(*environments, agent_, longest * ((count + side_by_side - 1) / side_by_side), seed);
  const auto rollout = collector.collect();
  const auto observations = rollout.flat(rollout.observations), actions = rollout.flat(rollout.actions);
  const auto steps = rollout.rewards.size(1);
  std::vector<Output> outputs;
  for (std::size_t sequence = 0; sequence + 1 < rollout.starts.size() && std::ssize(outputs) < count; ++sequence) {
    const auto begin = rollout.starts[sequence], length = rollout.starts[sequence + 1] - begin;
    const auto after = rollout.after[static_cast<std::int64_t>(sequence)].item<float>();
    const bool cut_off = (begin + length) % steps == 0 && after != 0;  // goes on beyond this rollout
    if (!cut_off)
      outputs.push_back(subject_.output_of(observations.narrow(0, begin, length), actions.narrow(0, begin, length)));
  }
  return outputs;
}

void Trainee::film(std::uint64_t seed, const std::filesystem::path& file) const {
  const auto one = subject_.environments(1);
  const auto drawer =
      environments::make_environment(environments::builtin_environments(), one->spec().name, one->spec().settings);
  control::film(*one, *drawer, control::greedy(agent_), seed, file);
}

void imitate(const models::ActorCritic& agent, const Tensor& encoded, const Tensor& probabilities,
             const Tensor& weights, std::int64_t updates) {
  algorithms::AdamW optimizer(agent.weights(), {});
  for (std::int64_t update = 0; update < updates; ++update) {
    optimizer.zero_grad();
    const auto policy = std::get<models::Categorical>(agent.policy(encoded));
    const auto loss = -(at::log_softmax(policy.logits, 1) * probabilities).sum(1);
    ((loss * weights).sum() / weights.sum()).backward();
    optimizer.step(1e-2);
  }
}

double mean_truth(const std::vector<Output>& outputs) {
  double sum = 0;
  for (const auto& output : outputs) sum += output.truth;
  return sum / static_cast<double>(outputs.size());
}

double mean_predicted(const std::vector<Output>& outputs, const control::RewardEnsemble& reward) {
  std::vector<Tensor> steps;
  for (const auto& output : outputs) steps.push_back(output.inputs);
  return reward.rewards(at::cat(steps)).sum().item<double>() / static_cast<double>(outputs.size());
}

}  // namespace rlhf::recipes
