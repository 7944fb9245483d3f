#include "rlhf/serving/qualification.h"

#include <algorithm>

#include "rlhf/feedback/gold.h"

namespace rlhf::serving {
namespace {

constexpr std::size_t window = 20;
constexpr std::size_t least = 10;  // gold answers before anybody is paused

}  // namespace

feedback::AnnotatorRecord record_of(const feedback::Store& store, const std::string& name) {
  for (auto& each : store.annotators()) {
    if (each.name == name) return each;
  }
  feedback::AnnotatorRecord record;
  record.name = name;
  return record;
}

Qualification::Qualification(feedback::Store& store, double pass_mark, double pause_mark)
    : store_(store), pass_mark_(pass_mark), pause_mark_(pause_mark) {}

std::optional<Verdict> Qualification::after(const feedback::Annotator& annotator, const feedback::Question& question,
                                            const feedback::Answer& answer) {
  if (!question.gold || std::holds_alternative<feedback::Skip>(answer.said)) return std::nullopt;
  const bool right = feedback::is_right(answer, question);
  if (question.round.empty()) {
    watch(annotator.name, right);
    return std::nullopt;
  }
  finish_round(annotator.name, question.round);
  return Verdict{right, question.explanation};
}

/// A round is over when no question of it is left for this annotator; it is passed with enough right answers.
void Qualification::finish_round(const std::string& annotator, const std::string& round) {
  std::int64_t answered = 0, right = 0, asked = 0;
  for (const auto& question : store_.questions_of_round(round)) {
    ++asked;
    for (const auto& event : store_.answers_to(question.id)) {
      if (event.annotator.name != annotator) continue;
      ++answered;
      right += feedback::is_right(std::get<feedback::Answer>(event.body), question) ? 1 : 0;
    }
  }
  if (answered < asked || static_cast<double>(right) < pass_mark_ * static_cast<double>(asked)) return;
  auto record = record_of(store_, annotator);
  if (std::find(record.passed.begin(), record.passed.end(), round) != record.passed.end()) return;
  record.passed.push_back(round);
  store_.set(record);
}

void Qualification::watch(const std::string& annotator, bool right) {
  const std::lock_guard guard(mutex_);
  auto& last = last_gold_[annotator];
  last += right ? '1' : '0';
  if (last.size() > window) last.erase(0, 1);
  const auto good = static_cast<double>(std::count(last.begin(), last.end(), '1'));
  if (last.size() < least || good >= pause_mark_ * static_cast<double>(last.size())) return;
  auto record = record_of(store_, annotator);
  if (record.standing != feedback::Standing::active) return;
  record.standing = feedback::Standing::paused;
  record.profile["paused_for"] = "too few right answers to questions with a known answer";
  store_.set(record);
}

}  // namespace rlhf::serving
