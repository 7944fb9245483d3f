#pragma once
#include "rlhf/control/ppo.h"
#include "rlhf/models/recurrent.h"

namespace rlhf::control {

/// Plays many environments with a memory for each.
class RecurrentPlayer {
 public:
  /// The agent has to outlive it.
  RecurrentPlayer(const models::RecurrentActorCritic& agent, std::int64_t environments);

  Tensor act(const Tensor& observations);  // the likeliest actions, within the bounds
  models::ActorCritic::Judged judge(const Tensor& observations);
  Tensor values(const Tensor& observations) const;   // nothing is remembered
  void ended(const environments::VectorStep& step);  // forgets where episodes ended

  const Tensor& memory() const { return memory_; }  // [envs, 2 width]
  void set_memory(const Tensor& memory) { memory_ = memory.clone(); }
  Actor actor();  // this one, for a Collector

 private:
  const models::RecurrentActorCritic& agent_;
  Tensor memory_;
};

/// [envs, steps] float32, 1 where an episode begins within a rollout; not at its first step, whose memory says as much.
Tensor begins_of(const Rollout& rollout);

/// PPO with an LSTM, as its public code has it (Huang et al. 2022, details 29-33): minibatches hold whole environments'
/// sequences; what was remembered at a rollout's start is kept and everything after it made anew at every update, with
/// the weights of the moment; it is 0 where an episode begins. `config.minibatch` is a multiple of `config.steps`, or
/// rlhf::Error (usage) is thrown. Trains in place; see train() in on_policy.h.
void train(models::RecurrentActorCritic& agent, environments::VectorEnvironment& environments, const PpoConfig& config,
           const OnPolicyHooks& hooks, Run& run);

}  // namespace rlhf::control
