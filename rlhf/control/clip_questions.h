#pragma once
#include <set>
#include <span>

#include "rlhf/control/clip_pool.h"
#include "rlhf/feedback/store.h"

namespace rlhf::control {

/// Asks about pairs of clips: draws them, keeps those that the reward model is least sure of, and publishes them as
/// questions in a feedback store, where a simulated teacher and people answer alike. The newest are to be answered
/// first: what the agent did long ago tells least about what it does now.
///
/// In a store of the run's own, question n is preferences-<seed>/<environment>/.../pair-<n>. In a store that was named,
/// which others may use, too, its id also holds the name of the run and a hash of both clips and of who is to answer:
/// runs of several arms, seeds and settings stay apart there, and a run that begins again asks the same questions.
class ClipQuestions {
 public:
  using Pair = std::pair<std::size_t, std::size_t>;  // of the pool's clips

  /// Store and replayer, which draws the clips where people answer, have to outlive this. `run`: its name.
  ClipQuestions(feedback::Store& store, environments::Environment& replayer, environments::Spec spec,
                const PreferenceConfig& config, std::string run);

  /// `count` questions about the pool's clips; which pairs they were about. `version`: see ClipPool::keep.
  std::vector<Pair> ask(const ClipPool& pool, const RewardEnsemble& reward, std::int64_t count, std::int64_t version);

  /// Each clip of the pairs against a piece of a demonstration, which wins: an answer like any other in the store
  /// (Ibarz et al. 2018). Throws rlhf::Error (usage) without demonstrations.
  void prefer(std::span<const data::Trajectory> demonstrations, const std::vector<Pair>& pairs, const ClipPool& pool);

  std::int64_t asked() const { return std::ssize(pairs_); }
  std::int64_t autolabels() const { return std::ssize(autolabels_); }  // answers that prefer() gave

  const std::vector<std::string>& pairs() const { return pairs_; }  // ids of the questions that ask() made, in order
  bool own(const std::string& question) const { return own_.contains(question); }  // made by ask() or prefer()

  /// The questions' ids, "asked" and "autolabels" of a checkpoint's record.
  void save(nlohmann::json& record) const;
  void restore(const nlohmann::json& record);

 private:
  feedback::Question question_of(std::string id, const Clip& first, const Clip& second, std::int64_t version);
  std::string fingerprint(const Clip& first, const Clip& second) const;
  void remember(const std::string& question, std::vector<std::string>& among);
  std::vector<std::size_t> chosen(const std::vector<ClipComparison>& candidates, const RewardEnsemble& reward,
                                  std::size_t count) const;

  feedback::Store& store_;
  environments::Environment& replayer_;
  environments::Spec spec_;
  PreferenceConfig config_;
  std::string run_;
  std::vector<std::string> pairs_, autolabels_;  // ids of questions
  std::set<std::string> own_;                    // all of them
};

}  // namespace rlhf::control
