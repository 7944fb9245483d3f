#pragma once
#include <string>
#include <utility>
#include <vector>

#include "rlhf/feedback/store.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {

/// A log written by hand, for what reads events and needs no store.
class Events {
 public:
  const std::vector<Event>& all() const { return events_; }
  double now = 1'000'000.0;  // seconds since 1970; the next entry is made then

  std::int64_t ask(const Question& question) { return add({.question = question.id, .body = question}); }

  std::int64_t answer(const std::string& question, const Annotator& who, Answer answer, std::int64_t revises = 0) {
    return add({.question = question, .body = std::move(answer), .annotator = who, .guideline = "v1", .revises = revises});
  }
  std::int64_t pick(const std::string& question, const std::string& who, int best, double seconds = 5.0) {
    Answer given{Comparison{.best = best}};
    given.active_seconds = seconds;
    return answer(question, {who, Source::human}, given);
  }
  std::int64_t undo(const std::string& question, const std::string& who, std::int64_t answer) {
    return add({.question = question, .body = Undo{answer}, .annotator = {who, Source::human}});
  }
  std::int64_t add(Event event) {
    event.sequence = static_cast<std::int64_t>(events_.size()) + 1;
    event.asked_at = now, event.answered_at = now;
    events_.push_back(std::move(event));
    return events_.back().sequence;
  }

 private:
  std::vector<Event> events_;
};

}  // namespace rlhf::feedback
