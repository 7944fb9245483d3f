#pragma once
#include <deque>
#include <map>

#include "rlhf/control/clip_inputs.h"
#include "rlhf/control/novelty.h"
#include "rlhf/control/off_policy.h"
#include "rlhf/control/ppo.h"
#include "rlhf/control/reward_ensemble.h"
#include "rlhf/control/teacher.h"
#include "rlhf/core/files.h"
#include "rlhf/feedback/store.h"

namespace rlhf::control {

/// Which pairs of clips are asked about, out of ten times as many drawn at random.
enum class Selection {
  random,
  variance,  // where the members' probabilities differ most (Christiano et al. 2017); it can do worse than chance
  entropy,   // where their mean probability is nearest to one half
  recency,   // drawn at random, the newer clips more often
};

/// How fast labels are asked for once the first ones are there, T being the steps so far.
enum class LabelRate {
  hyperbolic,  // C / (C + T) (Christiano et al. 2017)
  constant,
  quadratic,  // 1 / (1 + (T / C)^2)
};

struct PreferenceConfig {
  std::int64_t labels = 400;    // answers wanted in all
  double initial_share = 0.25;  // of them before the policy learns; 1 = all of them, and never asked again
  LabelRate rate = LabelRate::hyperbolic;
  double schedule = 30000;   // the rate's C, steps
  std::int64_t explore = 0;  // rollouts at the beginning in which nobody is asked anything and the reward is for being
                             // where one has not been (novelty.h; PEBBLE, Lee et al. 2021, arXiv:2106.05091)
  std::int64_t clip_steps = 25;
  std::int64_t clips = 200;         // kept to draw pairs from, the newest
  std::int64_t rollout_clips = 16;  // of them taken from each rollout; as many as `clips`: pairs are of one rollout
  Selection selection = Selection::variance;
  bool actions = true;               // does the reward model see what was done?
  bool outcomes = false;             // does it see what the action led to, instead of where it was taken?
  bool autolabels = false;           // each clip of the first pairs is also compared with a piece of a demonstration,
                                     // which is taken to be better (Ibarz et al. 2018, arXiv:1811.06521)
  std::int64_t first_updates = 400;  // minibatches of the first fit
  std::int64_t rollout_updates = 8;  // minibatches after each rollout
  RewardEnsembleConfig reward;
  TeacherConfig teacher;
  std::string store;    // feedback store; empty = feedback.db in the run's folder
  bool people = false;  // wait for people instead of the simulated teacher
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

/// Labels wanted once `steps` of `total` have been taken: first a share at once, then more by the rate; for a rate that
/// falls like C / (C + T), N0 + (N - N0) ln(1 + T/C) / ln(1 + T_end/C) (Christiano et al. 2017, appendix A).
std::int64_t labels_by(const PreferenceConfig& config, std::int64_t steps, std::int64_t total);

/// The three processes of learning from preferences, in turns: the policy acts and learns from the predicted reward
/// (PpoHooks, or OffPolicyHooks for agents with a replay buffer), pairs of its clips become questions in a feedback store, and the ensemble is fitted to what the store
/// says about them. A simulated teacher and people answer the same questions; the reward model is made from the store
/// alone.
///
/// Everything but people's answers is a function of the seeds. Which answers a rollout's fit used is journalled in
/// <run>/labels.jsonl, so that a resumed run uses the same. <run>/returns.jsonl has a row for each episode that ended,
/// and for each 1,000 steps of longer ones: {"step", "env", "length", "predicted", "earned"}, the sums of what the policy
/// was paid, by the reward model of the time, and of what it earned in truth.
class Preferences {
 public:
  Preferences(std::unique_ptr<environments::Environment> replayer, const environments::Spec& spec,
              const PreferenceConfig& config, std::int64_t total_steps, Run& run);

  /// What autolabels take pieces of; they have to outlive this.
  void set_demonstrations(std::span<const data::Trajectory> demonstrations) { demonstrations_ = demonstrations; }

  /// Asks for the first labels, about clips of the rollouts that `next` gives, which have states, and fits the reward
  /// model to them. Does nothing in a run that goes on. Throws rlhf::Error when the run is asked to stop meanwhile.
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
  std::int64_t autolabels() const { return autolabels_; }
  std::int64_t asked() const { return asked_; }
  /// Share of pairs of clips from all through training, never asked about, that the ensemble orders as the true rewards
  /// do.
  double test_accuracy() const;
  struct Judged {
    double predicted = 0, earned = 0;
  };
  /// Of each such pair: the log-odds that the ensemble gives the first clip, and by how much the first one earned more.
  std::vector<Judged> test_margins() const;
  /// Of each clip of these pairs: the sums of the rewards that the ensemble gives its steps now, and of the true ones.
  std::vector<Judged> test_clips() const;
  const EnsembleFit& last_fit() const { return last_fit_; }
  /// Pearson correlation of predicted and true rewards over the last rollout's steps; NaN where one of them is
  /// constant.
  double correlation() const { return correlation_; }

  void log(MetricRow& row) const;

 private:
  struct Clip {
    data::Segment segment;
    Tensor inputs;
  };
  Clip clip_at(const Rollout& rollout, std::pair<std::int64_t, std::int64_t> place, std::int64_t version) const;
  void keep_clips(const Rollout& rollout, std::int64_t version, std::int64_t count);
  using Pair = std::pair<std::size_t, std::size_t>;  // of clips_
  bool exploring() const { return config_.explore > 0 && ensemble_.version() == 0; }
  void ask_first();
  std::vector<Pair> ask(std::int64_t count, std::int64_t version);
  std::size_t drawn_clip(Random& random) const;
  void prefer_demonstrations(const std::vector<Pair>& pairs);
  void learn_from(std::int64_t index, const Rollout& rollout);
  void add_up(std::int64_t index, const Rollout& rollout);
  Tensor predicted(const Rollout& rollout);
  void take_answers(std::int64_t index);
  std::int64_t answered_until(std::int64_t index);
  void wait_for_people(std::int64_t wanted);
  std::vector<ClipComparison> read_answers(std::int64_t after, std::int64_t until) const;
  std::vector<std::size_t> chosen_pairs(const std::vector<ClipComparison>& candidates, std::size_t count) const;
  feedback::Question question_of(const std::string& id, const Clip& first, const Clip& second, std::int64_t version);
  void fit(std::int64_t updates);
  void save(State& state);
  void restore(const State& state);

  std::unique_ptr<environments::Environment> replayer_;
  environments::Spec spec_;
  PreferenceConfig config_;
  std::int64_t total_steps_;
  Run& run_;
  feedback::Store store_;
  std::unique_ptr<feedback::Labeler> teacher_;
  RewardInputs inputs_;
  RewardEnsemble ensemble_;
  Novelty novelty_;
  std::deque<Clip> clips_;
  std::vector<std::pair<Clip, Clip>> test_;
  std::map<std::int64_t, std::int64_t> journal_;  // rollout -> the store's entries that were known then
  Tensor true_rewards_, predicted_;               // of the rollout that is being worked on
  /// What an environment's present episode, or piece of it, came to so far.
  struct Stretch {
    std::int64_t episode = -1, steps = 0;
    double predicted = 0, earned = 0;
    bool from_start = false;  // of the episode or of a piece; otherwise nobody looked at its beginning
  };
  std::vector<Stretch> stretches_;
  AppendFile returns_;
  std::span<const data::Trajectory> demonstrations_;
  std::int64_t asked_ = 0, autolabels_ = 0, cursor_ = 0, steps_ = 0;
  double correlation_ = 0;
  EnsembleFit last_fit_;
};

}  // namespace rlhf::control
