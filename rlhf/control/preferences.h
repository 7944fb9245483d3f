#pragma once
#include "rlhf/control/clip_answers.h"
#include "rlhf/control/clip_questions.h"
#include "rlhf/control/novelty.h"
#include "rlhf/control/off_policy.h"
#include "rlhf/control/ppo.h"
#include "rlhf/control/returns_log.h"

namespace rlhf::control {

/// The three processes of learning from preferences, in turns (Christiano et al. 2017, arXiv:1706.03741): the policy
/// acts and learns from the predicted reward (PpoHooks, or OffPolicyHooks for agents with a replay buffer), pairs of
/// its clips become questions in a feedback store (clip_pool.h, clip_questions.h), and the ensemble is fitted to what the
/// store says about them (clip_answers.h, reward_ensemble.h). A simulated teacher and people answer the same questions;
/// the reward model is made from the store alone.
///
/// Everything but people's answers is a function of the seeds. <run>/labels.jsonl is the journal of ClipAnswers,
/// <run>/returns.jsonl that of ReturnsLog.
class Preferences {
 public:
  Preferences(std::unique_ptr<environments::Environment> replayer, const environments::Spec& spec,
              const PreferenceConfig& config, std::int64_t total_steps, Run& run);

  /// What autolabels take pieces of; they have to outlive this.
  void set_demonstrations(std::span<const data::Trajectory> demonstrations) { demonstrations_ = demonstrations; }

  /// Asks for the first labels, about clips of the rollouts that `next` gives, which have states, and fits the reward
  /// model to them. Does nothing in a run that goes on. Throws rlhf::Error when the run is asked to stop
  /// while people answer.
  void begin(const std::function<Rollout()>& next);
  /// The same about clips of `agent` as it is.
  void begin(environments::VectorEnvironment& environments, const models::ActorCritic& agent, const PpoConfig& ppo);

  /// What train() needs, PPO's or that of an off-policy agent, whose rollouts are so many steps of its loop; `this` has
  /// to outlive it.
  PpoHooks hooks();
  OffPolicyHooks off_policy_hooks(std::int64_t rollout_steps);

  /// The reward as it is now; a replay buffer asks again whenever the model was fitted.
  RewardSource source() const;
  const RewardInputs& inputs() const { return inputs_; }
  const RewardEnsemble& reward() const { return ensemble_; }
  std::int64_t labels() const { return ensemble_.comparisons(); }  // autolabels included
  std::int64_t autolabels() const { return questions_.autolabels(); }
  std::int64_t asked() const { return questions_.asked(); }  // pairs, those that were passed over included

  /// How the ensemble judges pairs of clips from all through training that were never asked about, see clip_pool.h.
  double test_accuracy() const { return control::test_accuracy(ensemble_, pool_.test_pairs()); }
  std::vector<ClipJudgement> test_margins() const { return control::test_margins(ensemble_, pool_.test_pairs()); }
  std::vector<ClipJudgement> test_clips() const { return control::test_clips(ensemble_, pool_.test_pairs()); }
  const EnsembleFit& last_fit() const { return last_fit_; }
  /// Pearson correlation of predicted and true rewards over the last rollout's steps; NaN where one of them is
  /// constant.
  double correlation() const { return correlation_; }

  void log(MetricRow& row) const;

 private:
  bool exploring() const { return config_.explore > 0 && ensemble_.version() == 0; }
  Tensor rewards(const Rollout& rollout);
  void learn_from(std::int64_t index, const Rollout& rollout);
  void ask_first();
  std::int64_t missing() const;
  void take_answers(std::int64_t index);
  void fit(std::int64_t updates);
  void save(State& state);
  void restore(const State& state);

  std::unique_ptr<environments::Environment> replayer_;
  PreferenceConfig config_;
  std::int64_t total_steps_;
  Run& run_;
  feedback::Store store_;
  RewardInputs inputs_;
  RewardEnsemble ensemble_;
  Novelty novelty_;
  ClipPool pool_;
  ClipQuestions questions_;
  ClipAnswers answers_;
  ReturnsLog returns_;
  std::span<const data::Trajectory> demonstrations_;
  Tensor predicted_;  // [envs, steps] of the rollout that is being worked on
  std::int64_t steps_ = 0;           // taken so far, of all environments together
  double correlation_ = 0;
  EnsembleFit last_fit_;
};

}  // namespace rlhf::control
