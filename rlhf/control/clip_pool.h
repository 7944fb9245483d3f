#pragma once
#include <deque>

#include "rlhf/control/clip_inputs.h"
#include "rlhf/control/preferences_config.h"

namespace rlhf::control {

/// A piece of what the agent did, and what a reward model reads of it.
struct Clip {
  data::Segment segment;
  Tensor inputs;  // [steps, ...], see RewardInputs
};
using ClipPair = std::pair<Clip, Clip>;

/// The newest pieces of what the agent did, which pairs are drawn from, and at most 500 pairs of others, drawn evenly
/// from all of training so far, that nobody is ever asked about.
class ClipPool {
 public:
  ClipPool(environments::Spec spec, RewardInputs inputs, const PreferenceConfig& config);

  /// `count` pieces of a rollout with states join those to ask about, a few others become test pairs. Nothing where no
  /// piece lies within one episode. `version`: of the policy, before_training or the rollout's index.
  void keep(const Rollout& rollout, std::int64_t version, std::int64_t count);

  const std::deque<Clip>& clips() const { return clips_; }  // the newest last
  const std::vector<ClipPair>& test_pairs() const { return test_; }

  /// The segments under "clips" and "test" of a checkpoint's record, and back: `replayer` plays them again.
  void save(nlohmann::json& record) const;
  void restore(const nlohmann::json& record, environments::Environment& replayer);

 private:
  void sample(ClipPair pair, Random& random);
  Clip clip_at(const Rollout& rollout, std::pair<std::int64_t, std::int64_t> place, std::int64_t version) const;

  environments::Spec spec_;
  RewardInputs inputs_;
  PreferenceConfig config_;
  std::deque<Clip> clips_;
  std::vector<ClipPair> test_;
  std::int64_t offered_ = 0;  // test pairs that ever were
};

/// How a reward model judges the test pairs, against the true rewards.
struct ClipJudgement {
  double predicted = 0, earned = 0;
};

/// Share of the pairs that it orders as the true rewards do; ties left out.
double test_accuracy(const RewardEnsemble& reward, const std::vector<ClipPair>& pairs);
/// Of each pair: the log-odds that it gives the first clip, and by how much the first one earned more.
std::vector<ClipJudgement> test_margins(const RewardEnsemble& reward, const std::vector<ClipPair>& pairs);
/// Of each clip of these pairs: the sums of the rewards that it gives the steps now, and of the true ones.
std::vector<ClipJudgement> test_clips(const RewardEnsemble& reward, const std::vector<ClipPair>& pairs);

}  // namespace rlhf::control
