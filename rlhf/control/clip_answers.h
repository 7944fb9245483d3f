#pragma once
#include <functional>
#include <map>
#include <set>

#include "rlhf/control/clip_inputs.h"
#include "rlhf/control/clip_questions.h"
#include "rlhf/control/preferences_config.h"
#include "rlhf/control/standing_answers.h"
#include "rlhf/core/run.h"

namespace rlhf::control {

/// What a feedback store says about the pairs of clips that a run has asked about, as comparisons that a reward model
/// is fitted to. Answers to other questions in the store are neither learnt from nor counted, and the simulated teacher
/// leaves those questions alone. Which answers were used when is journalled in <run>/labels.jsonl, {"rollout",
/// "cursor", "asked"}, so that a resumed run uses the same.
///
/// A comparison is taken once and kept. What its annotator does before it is taken counts: an answer that is taken
/// back or replaced by then is left out. Afterwards it stays what it was: one that is taken back is still fitted to,
/// and one that replaces it joins it as another comparison of the same pair.
class ClipAnswers {
 public:
  /// Store, questions, replayer and run have to outlive this.
  ClipAnswers(feedback::Store& store, const ClipQuestions& questions, environments::Environment& replayer,
              RewardInputs inputs, const PreferenceConfig& config, Run& run);

  /// Gets the first labels, for as many pairs as have been asked about. The simulated teacher gives them now. For
  /// people this waits until three quarters are there. Each pair that is passed over makes room for another:
  /// `ask_another` is to ask about one, at most as often as there were pairs; once all of these are passed over, too,
  /// nothing more is waited for. Throws rlhf::Error when the run is asked to stop meanwhile.
  void begin(const std::function<void()>& ask_another);

  /// The answers that came since the last time, for the fit of rollout `index`. The simulated teacher gives them now
  /// and all of them, even in a run that is asked to stop; people give them in their time.
  std::vector<ClipComparison> take(std::int64_t index);

  /// The run has ended: people are not asked any more what it did not get an answer to.
  void close();

  /// Pairs that were asked about in vain, see QuestionState; as the store was when answers were last taken.
  std::int64_t passed_over() const { return count(QuestionState::passed_over); }

  /// How far the store was read and which of its answers were taken, "cursor" and "taken" of a checkpoint's record.
  /// restore() gives these comparisons, without those that were erased from the store since.
  void save(nlohmann::json& record) const;
  std::vector<ClipComparison> restore(const nlohmann::json& record);

 private:
  struct Entry {
    std::int64_t cursor = 0;  // the store's entries that were known
    std::int64_t asked = 0;   // pairs
  };
  static std::map<std::int64_t, Entry> read_journal(const std::filesystem::path& file);

  void teach();
  void wait_for_people(std::int64_t wanted, const std::function<void()>& ask_another);
  bool replace_passed_over(std::int64_t wanted, const std::function<void()>& ask_another) const;
  std::int64_t until(std::int64_t index);
  std::int64_t count(QuestionState standing) const;
  ClipComparison comparison_of(const StandingAnswers::Said& said) const;

  feedback::Store& store_;
  const ClipQuestions& questions_;
  environments::Environment& replayer_;
  RewardInputs inputs_;
  bool people_;
  std::unique_ptr<feedback::Labeler> teacher_;
  Run& run_;
  std::map<std::int64_t, Entry> journal_;  // by rollout
  StandingAnswers answers_;
  std::vector<std::int64_t> taken_;  // answers by sequence number, in the order in which they were taken
  std::set<std::int64_t> known_;     // the same
};

}  // namespace rlhf::control
