#pragma once
#include <memory>
#include <optional>
#include <span>

#include "recipes/ask_for_labels.h"
#include "recipes/fine_tuning_from_preferences/config.h"
#include "rlhf/feedback/store.h"

namespace rlhf::recipes {

/// Collects labels and fits the reward model, once (offline) or again and again on the moving policy (online, the paper's
/// section 2.3). Rounds that an interrupted run has behind it are repeated from the store, with the labels they had then.
class RewardStage {
 public:
  struct Parts {
    const FineTuningConfig& config;
    std::span<const data::Prompt> prompts;  // the policy's training prompts
    SampleFn sample;                        // from the policy as it is now
    feedback::GoldFn gold;                  // what the simulated labeler goes by
    models::LanguageModel* trunk;           // what the reward model reads; trained when config.reward says so
    WriteModel write_trunk;                 // saves a trained trunk
  };

  RewardStage(Parts parts, Run& run);

  /// Asks what is due before this PPO step, and fits the reward model to what was answered. The first round is waited for;
  /// later ones too, unless people answer and `labels.wait` is off. Returns false when it was asked to stop.
  bool before_step(std::int64_t step);

  /// Scores by the newest reward model, times config.reward_sign.
  rewards::RewardFn reward() const;

  const algorithms::RewardResult& result() const { return result_; }
  feedback::Counts labels() const { return store_.counts(); }

 private:
  bool ask(std::int64_t round, std::int64_t step);
  std::optional<std::int64_t> labels_of(std::int64_t round, std::int64_t step);
  std::optional<std::int64_t> from_people(std::int64_t round);
  std::int64_t due(std::int64_t round) const;
  std::int64_t labels_by(std::int64_t round) const;
  void fit(std::int64_t round, std::int64_t cursor);

  Parts parts_;
  Run& run_;
  feedback::Store store_;
  std::unique_ptr<feedback::Labeler> labeler_;
  std::int64_t asked_ = 0, fitted_ = 0;  // rounds
  std::shared_ptr<algorithms::RewardModel> model_;
  algorithms::RewardResult result_;
};

}  // namespace rlhf::recipes
