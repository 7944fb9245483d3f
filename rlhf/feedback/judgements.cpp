#include "rlhf/feedback/judgements.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::feedback {

std::int64_t each_judgement(const Store& store, std::int64_t until,
                            const std::function<void(const Question&, const Event&)>& use) {
  std::unordered_map<std::string, Question> questions;
  std::map<std::int64_t, Event> standing;  // by sequence number
  const auto end = until < 0 ? store.latest() : until;
  std::int64_t cursor = 0;
  while (cursor < end) {
    auto events = store.read(cursor, std::min<std::int64_t>(1000, end - cursor));
    if (events.empty()) break;
    for (auto& event : events) {
      if (event.sequence > end) break;  // numbers may have gaps, so that a read of `end - cursor` can reach beyond it
      cursor = event.sequence;
      if (auto* question = std::get_if<Question>(&event.body)) {
        questions.emplace(event.question, std::move(*question));
        continue;
      }
      if (const auto* undo = std::get_if<Undo>(&event.body)) standing.erase(undo->answer);
      const auto* answer = std::get_if<Answer>(&event.body);
      if (!answer) continue;
      standing.erase(event.revises);
      if (!std::holds_alternative<Skip>(answer->said)) standing.emplace(event.sequence, std::move(event));
    }
    if (events.back().sequence > end) break;
  }
  for (const auto& [sequence, event] : standing) {
    const auto question = questions.find(event.question);
    if (question == questions.end()) {
      throw Error({.category = Category::bad_data,
                   .where = store.location() + " event " + std::to_string(sequence),
                   .what = "it answers the question \"" + event.question + "\", which was never published",
                   .fix = ""});
    }
    use(question->second, event);
  }
  return end;
}

}  // namespace rlhf::feedback
