#pragma once
#include <string>

#include "rlhf/control/reward_ensemble.h"
#include "rlhf/control/teacher.h"

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

/// Learning from preferences (preferences.h).
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

/// The index, where those of rollouts are meant, of what happens before anything is learnt: the first clips and labels.
constexpr std::int64_t before_training = -1;

}  // namespace rlhf::control
