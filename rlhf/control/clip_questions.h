#pragma once
#include <span>

#include "rlhf/control/clip_pool.h"
#include "rlhf/feedback/store.h"

namespace rlhf::control {

/// Asks about pairs of clips: draws them, keeps those that the reward model is least sure of, and publishes them as
/// questions in a feedback store, where a simulated teacher and people answer alike.
class ClipQuestions {
 public:
  using Pair = std::pair<std::size_t, std::size_t>;  // of the pool's clips

  /// Store and replayer, which draws the clips where people answer, have to outlive this.
  ClipQuestions(feedback::Store& store, environments::Environment& replayer, environments::Spec spec,
                const PreferenceConfig& config);

  /// `count` questions about the pool's clips; which pairs they were about. `version`: see ClipPool::keep.
  std::vector<Pair> ask(const ClipPool& pool, const RewardEnsemble& reward, std::int64_t count, std::int64_t version);

  /// Each clip of the pairs against a piece of a demonstration, which wins: an answer like any other in the store
  /// (Ibarz et al. 2018). Throws rlhf::Error (usage) without demonstrations.
  void prefer(std::span<const data::Trajectory> demonstrations, const std::vector<Pair>& pairs, const ClipPool& pool);

  std::int64_t asked() const { return asked_; }
  std::int64_t autolabels() const { return autolabels_; }  // answers that prefer() gave

  /// The counts, "asked" and "autolabels" of a checkpoint's record.
  void save(nlohmann::json& record) const;
  void restore(const nlohmann::json& record);

 private:
  feedback::Question question_of(const std::string& id, const Clip& first, const Clip& second, std::int64_t version);
  std::vector<std::size_t> chosen(const std::vector<ClipComparison>& candidates, const RewardEnsemble& reward,
                                  std::size_t count) const;

  feedback::Store& store_;
  environments::Environment& replayer_;
  environments::Spec spec_;
  PreferenceConfig config_;
  std::int64_t asked_ = 0, autolabels_ = 0;
};

}  // namespace rlhf::control
