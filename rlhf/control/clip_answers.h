#pragma once
#include <map>

#include "rlhf/control/clip_inputs.h"
#include "rlhf/control/preferences_config.h"
#include "rlhf/core/run.h"
#include "rlhf/feedback/store.h"

namespace rlhf::control {

/// What a feedback store says about pairs of clips, as comparisons that a reward model is fitted to. Which answers were
/// used when is journalled in <run>/labels.jsonl, {"rollout", "cursor"}, so that a resumed run uses the same.
class ClipAnswers {
 public:
  /// Store, replayer and run have to outlive this.
  ClipAnswers(feedback::Store& store, environments::Environment& replayer, RewardInputs inputs,
              const PreferenceConfig& config, Run& run);

  /// The answers that came since the last time, for the fit of rollout `index`. The simulated teacher gives them now
  /// and all of them, even in a run that is asked to stop; people give them in their time, but before_training this
  /// waits for three quarters of the `asked` questions and for all `autolabels`, and throws rlhf::Error when the run is
  /// asked to stop meanwhile.
  std::vector<ClipComparison> take(std::int64_t index, std::int64_t asked, std::int64_t autolabels);

  /// How far the store was read, "cursor" of a checkpoint's record. restore() gives the comparisons up to there, as
  /// they were taken: what people took back later had already been learnt from.
  void save(nlohmann::json& record) const { record["cursor"] = cursor_; }
  std::vector<ClipComparison> restore(const nlohmann::json& record);

 private:
  std::int64_t until(std::int64_t index, std::int64_t first_wanted);
  void wait_for_people(std::int64_t wanted);
  std::vector<ClipComparison> read(std::int64_t until);

  feedback::Store& store_;
  environments::Environment& replayer_;
  RewardInputs inputs_;
  bool people_;
  std::unique_ptr<feedback::Labeler> teacher_;
  Run& run_;
  std::map<std::int64_t, std::int64_t> journal_;  // rollout -> the store's entries that were known then
  std::int64_t cursor_ = 0;
};

}  // namespace rlhf::control
