#pragma once
#include <map>
#include <set>

#include "rlhf/feedback/store.h"

namespace rlhf::control {

/// What became of a question.
enum class QuestionState {
  open,         // nobody has said anything about it yet
  answered,     // there is a comparison
  passed_over,  // skipped, or nothing could be told, or the owner has withdrawn it: nothing to learn from
};

/// The answers in a store's log, as far as it was read, and which of them stand: neither taken back nor replaced.
class StandingAnswers {
 public:
  struct Said {
    std::string question;
    std::optional<feedback::Comparison> comparison;  // none: skipped, or nothing could be told
    bool stands = true;
  };

  /// The store has to outlive this.
  explicit StandingAnswers(const feedback::Store& store) : store_(store) {}

  /// Reads on, up to this entry of the log. What was erased from the log after it was read is still known here.
  void read(std::int64_t until);
  std::int64_t cursor() const { return cursor_; }  // the last entry that was read

  /// All that was ever said, by sequence number.
  const std::map<std::int64_t, Said>& said() const { return said_; }

  /// What became of each of these questions.
  std::vector<QuestionState> of(const std::vector<std::string>& questions) const;

 private:
  void enter(const feedback::Event& event);

  const feedback::Store& store_;
  std::map<std::int64_t, Said> said_;
  std::set<std::string> withdrawn_;  // questions
  std::int64_t cursor_ = 0;
};

}  // namespace rlhf::control
