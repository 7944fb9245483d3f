#include "rlhf/control/standing_answers.h"

#include <algorithm>
#include <unordered_map>

namespace rlhf::control {

void StandingAnswers::read(std::int64_t until) {
  while (cursor_ < until) {
    const auto events = store_.read(cursor_, std::min<std::int64_t>(1000, until - cursor_));
    for (const auto& event : events)
      if (event.sequence <= until) enter(event);
    // Numbers may be missing, and other projects have theirs: what lies beyond the last one is not there.
    cursor_ = events.empty() ? until : std::min(until, events.back().sequence);
  }
}

void StandingAnswers::enter(const feedback::Event& event) {
  const auto falls = [&](std::int64_t earlier) {
    if (const auto found = said_.find(earlier); found != said_.end()) found->second.stands = false;
  };
  if (const auto* undo = std::get_if<feedback::Undo>(&event.body)) falls(undo->answer);
  if (const auto* change = std::get_if<feedback::Requeue>(&event.body); change && change->withdrawn) {
    if (*change->withdrawn)
      withdrawn_.insert(event.question);
    else
      withdrawn_.erase(event.question);
  }
  const auto* answer = std::get_if<feedback::Answer>(&event.body);
  if (!answer) return;
  falls(event.revises);
  auto& said = said_[event.sequence];
  said.question = event.question;
  const auto* comparison = std::get_if<feedback::Comparison>(&answer->said);
  if (comparison && !comparison->incomparable) said.comparison = *comparison;
}

std::vector<QuestionState> StandingAnswers::of(const std::vector<std::string>& questions) const {
  std::unordered_map<std::string_view, QuestionState> found;
  for (const auto& question : withdrawn_) found[question] = QuestionState::passed_over;
  for (const auto& [sequence, said] : said_) {
    if (!said.stands) continue;
    auto& standing = found[said.question];
    if (standing != QuestionState::answered)
      standing = said.comparison ? QuestionState::answered : QuestionState::passed_over;
  }
  std::vector<QuestionState> result;
  for (const auto& question : questions) {
    const auto known = found.find(question);
    result.push_back(known == found.end() ? QuestionState::open : known->second);
  }
  return result;
}

}  // namespace rlhf::control
