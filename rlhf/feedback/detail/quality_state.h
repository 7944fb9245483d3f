#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "rlhf/feedback/quality.h"
#include "rlhf/feedback/statistics/units.h"

namespace rlhf::feedback::detail {

// Choices as categories: an item is its index in the order made.
inline constexpr int tie_choice = 1000, both_bad_choice = 1001, no_choice = -1;

/// The choice that an answer makes; no_choice where it makes none (a text, a rating, "cannot compare").
int choice_of(const Feedback& said);

/// What is kept of a question.
struct QuestionState {
  std::string id;
  std::uint64_t content = 0;  // hash of prompt and items, whatever their order: equal for a question that comes back
  std::vector<std::uint64_t> items;  // hash of each item
  int gold = no_choice;
  int first_shown = 0;         // of a pair
  int longer = no_choice;      // of a pair of texts
  int favourite = no_choice;   // of a reward model
  double least_seconds = 0.0;  // in which it can be looked at
  bool counts = true;          // real work: no qualification round
  std::int32_t form = 0;       // place in the list of names
};

/// What is kept of an answer.
struct AnswerState {
  std::int64_t sequence = 0;
  std::int32_t question = 0, annotator = 0;
  int choice = no_choice;
  float strength = 0.0f;  // of a choice in a pair: below 0 = the second item
  float active_seconds = 0.0f;
  double at = 0.0;
  bool stands = true, skip = false, pair = false;
};

/// One axis, rule or claim, over all questions of a form.
struct AspectState {
  std::string form, part, name;
  statistics::Level level = statistics::Level::interval;
  struct Value {
    std::int32_t answer = 0, item = 0;  // place in the answers; index of the item
    double value = 0.0;
  };
  std::vector<Value> values;
};

/// All that stands, in the order it came.
struct QualityState {
  QualityOptions options;
  std::int64_t cursor = 0;
  bool stale = false;
  std::vector<QuestionState> questions;
  std::unordered_map<std::string, std::int32_t> question_of;
  std::vector<AnswerState> answers;  // sequence numbers grow
  std::vector<Annotator> annotators;
  std::map<std::string, std::int32_t> annotator_of;
  std::vector<std::string> forms;
  std::vector<AspectState> aspects;
  std::map<std::vector<std::string>, std::size_t> aspect_of;           // by form, part, name
  std::vector<std::pair<std::int32_t, std::vector<double>>> rankings;  // answer, rank of each item

  bool human(const AnswerState& answer) const {
    return annotators[static_cast<std::size_t>(answer.annotator)].source == Source::human;
  }
  const QuestionState& question(const AnswerState& answer) const {
    return questions[static_cast<std::size_t>(answer.question)];
  }
  /// Does its choice count for agreement?
  bool comparable(const AnswerState& answer) const {
    return answer.stands && answer.choice != no_choice && question(answer).counts;
  }
};

void feed(QualityState& state, const Event& event);

/// The places of comparable answers, by question: [begin[q], begin[q + 1]) of `places`, in the order they came.
struct ByQuestion {
  std::vector<std::int32_t> places, begin;
};
ByQuestion by_question(const QualityState& state);

AgreementReport agreement_report(const QualityState& state);
std::vector<AnnotatorReport> annotator_reports(const QualityState& state);

}  // namespace rlhf::feedback::detail
