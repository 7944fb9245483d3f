#pragma once
#include <filesystem>
#include <memory>
#include <vector>

#include "recipes/recursive_reward_modeling/inspection.h"
#include "rlhf/control/ppo.h"

namespace rlhf::recipes {

/// A task whose outcome an evaluator cannot judge alone: what the final agent A_2 does, and what is to be seen of it.
class Subject {
 public:
  virtual ~Subject() = default;

  virtual std::unique_ptr<environments::VectorEnvironment> environments(std::int64_t count) const = 0;
  /// What a whole episode made. observations [steps, ...], actions [steps]
  virtual Output output_of(const Tensor& observations, const Tensor& actions) const = 0;
  /// What the reward model reads of a piece of an episode that begins with step `first`. [steps, width]
  virtual Tensor inputs_of(const Tensor& observations, const Tensor& actions, std::int64_t first) const = 0;
  virtual std::int64_t width() const = 0;
  /// Brings an agent to where demonstrations leave it: competent, and careless about what nobody sees.
  virtual void demonstrate(const models::ActorCritic& agent) const = 0;
  /// Outputs of others, on which the helper is trained: no weights and no data of A_2.
  virtual std::vector<Output> practice(std::int64_t count, std::uint64_t seed) const = 0;
  virtual std::int64_t features() const = 0;  // of a place
  virtual double fault_cost() const = 0;
  virtual const char* fault_word() const = 0;  // what a look says
  virtual const char* clear_word() const = 0;
};

/// A policy of a subject that learns, and can be asked for outputs.
class Trainee {
 public:
  Trainee(const Subject& subject, const models::ActorCriticConfig& agent, const control::PpoConfig& ppo);

  /// `rollouts` of PPO on the reward model as it is.
  void learn(const control::RewardEnsemble& reward, std::int64_t rollouts);
  /// Whole episodes; a function of the agent and the seed.
  std::vector<Output> outputs(std::int64_t count, std::uint64_t seed) const;
  /// An episode for the report's gallery, of the likeliest actions.
  void film(std::uint64_t seed, const std::filesystem::path& file) const;

 private:
  const Subject& subject_;
  control::PpoConfig ppo_;
  std::unique_ptr<environments::VectorEnvironment> environments_;
  models::ActorCritic agent_;
  algorithms::AdamW optimizer_;
  control::Collector collector_;
  std::int64_t rollouts_ = 0;
};

/// Follows probabilities of moves, [rows, choices], in the encoded observations [rows, ...]: supervised, full batch.
void imitate(const models::ActorCritic& agent, const Tensor& encoded, const Tensor& probabilities,
             const Tensor& weights, std::int64_t updates);

double mean_truth(const std::vector<Output>& outputs);
double mean_predicted(const std::vector<Output>& outputs, const control::RewardEnsemble& reward);

}  // namespace rlhf::recipes
