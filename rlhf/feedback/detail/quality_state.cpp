// Takes events in: what is kept of questions and answers.
#include "rlhf/feedback/detail/quality_state.h"

#include <algorithm>
#include <variant>

#include "rlhf/core/seed.h"
#include "rlhf/feedback/statistics/kendall.h"

namespace rlhf::feedback::detail {
namespace {

std::int64_t words_in(std::string_view text) {
  std::int64_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    words += !space && !inside;
    inside = !space;
  }
  return words;
}

/// Gold answers say what is right by their own choice.
int gold_of(const Question& question) { return question.gold ? choice_of(question.gold->said) : no_choice; }

std::int32_t form_place(QualityState& state, const std::string& form) {
  const auto found = std::find(state.forms.begin(), state.forms.end(), form);
  if (found == state.forms.end()) return state.forms.push_back(form), static_cast<std::int32_t>(state.forms.size() - 1);
  return static_cast<std::int32_t>(found - state.forms.begin());
}

void take(QualityState& state, const std::string& id, const Question& question) {
  const auto place = static_cast<std::int32_t>(state.questions.size());
  if (!state.question_of.emplace(id, place).second) return;
  QuestionState kept{.id = id,
                     .gold = gold_of(question),
                     .counts = question.round.empty(),
                     .form = form_place(state, question.form.name)};
  std::int64_t words = 0;
  for (const auto& item : question.items) {
    kept.items.push_back(hash(item.text.empty() ? item.clip : item.text));
    kept.content += derive(kept.items.back(), {});  // a sum: the same in any order
    words += words_in(item.text);
  }
  kept.content += hash(question.prompt.text);
  for (const auto& turn : question.prompt.messages) kept.content = derive(kept.content, {hash(turn.content)});
  kept.least_seconds = statistics::plausible_seconds(words);
  if (!question.shown.empty()) kept.first_shown = question.shown.front();
  if (question.items.size() == 2 && question.items[0].text.size() != question.items[1].text.size())
    kept.longer = question.items[0].text.size() > question.items[1].text.size() ? 0 : 1;
  state.questions.push_back(std::move(kept));
}

std::int32_t annotator_place(QualityState& state, const Annotator& annotator) {
  const auto place = static_cast<std::int32_t>(state.annotators.size());
  const auto [found, added] = state.annotator_of.emplace(annotator.name, place);
  if (added) state.annotators.push_back(annotator);
  return found->second;
}

/// Adds the values of ratings, rules and evidence to the aspects they speak of.
struct AspectSorter {
  QualityState& state;
  std::string form, part;

  std::int32_t answer() const { return static_cast<std::int32_t>(state.answers.size() - 1); }

  void add(const std::string& name, statistics::Level level, int item, double value) {
    const auto [found, added] = state.aspect_of.emplace(std::vector{form, part, name}, state.aspects.size());
    if (added) state.aspects.push_back({.form = form, .part = part, .name = name, .level = level, .values = {}});
    state.aspects[found->second].values.push_back({.answer = answer(), .item = item, .value = value});
  }

  void operator()(const Rating& said) {
    for (const auto& each : said.values) add(each.axis, statistics::Level::interval, each.item, each.value);
  }
  void operator()(const RuleJudgement& said) {
    for (const auto& each : said.entries)
      add(each.rule, statistics::Level::nominal, each.item, static_cast<double>(each.verdict));
  }
  void operator()(const EvidenceJudgement& said) {
    for (const auto& each : said.entries) {
      add("plausible", statistics::Level::nominal, each.item, static_cast<double>(each.plausible));
      add("supported", statistics::Level::nominal, each.item, static_cast<double>(each.supported));
    }
  }
  void operator()(const auto&) {}  // the other kinds have no aspects
};

/// How much better the first item of a pair is, -1 .. 1.
float strength_of(const Feedback& said) {
  const auto* comparison = std::get_if<Comparison>(&said);
  if (!comparison || comparison->tie || comparison->incomparable) return 0.0f;
  return static_cast<float>(comparison->best == 0 ? comparison->strength : -comparison->strength);
}

void take_back(QualityState& state, std::int64_t sequence) {
  const auto found =
      std::lower_bound(state.answers.begin(), state.answers.end(), sequence,
                       [](const AnswerState& each, std::int64_t wanted) { return each.sequence < wanted; });
  if (found != state.answers.end() && found->sequence == sequence) found->stands = false;
}

void take(QualityState& state, const Event& event, const Answer& answer) {
  if (event.revises > 0) take_back(state, event.revises);
  const auto question = state.question_of.find(event.question);
  if (question == state.question_of.end()) return;  // of an earlier log; nothing to compare it with
  const auto& asked = state.questions[static_cast<std::size_t>(question->second)];
  state.answers.push_back({.sequence = event.sequence,
                           .question = question->second,
                           .annotator = annotator_place(state, event.annotator),
                           .choice = choice_of(answer.said),
                           .strength = strength_of(answer.said),
                           .active_seconds = static_cast<float>(answer.active_seconds),
                           .at = event.answered_at,
                           .skip = std::holds_alternative<Skip>(answer.said),
                           .pair = asked.items.size() == 2 && std::holds_alternative<Comparison>(answer.said)});
  const auto place = static_cast<std::int32_t>(state.answers.size() - 1);
  if (const auto* ranking = std::get_if<Ranking>(&answer.said))
    state.rankings.emplace_back(place, statistics::ranks_of(ranking->groups, asked.items.size()));
  const auto form = state.forms[static_cast<std::size_t>(asked.form)];
  std::visit(AspectSorter{state, form, ""}, answer.said);
  for (const auto& [part, said] : answer.details) std::visit(AspectSorter{state, form, part}, said);
}

void erase(QualityState& state, const std::string& annotator) {
  const auto found = state.annotator_of.find(annotator);
  if (found == state.annotator_of.end()) {
    state.stale = state.stale || annotator.empty();  // somebody went, and the log no longer says who
    return;
  }
  for (auto& each : state.answers) each.stands = each.stands && each.annotator != found->second;
}

}  // namespace

int choice_of(const Feedback& said) {
  if (const auto* comparison = std::get_if<Comparison>(&said)) {
    if (comparison->incomparable) return no_choice;
    if (comparison->both_bad) return both_bad_choice;
    return comparison->tie ? tie_choice : static_cast<int>(comparison->best);
  }
  if (const auto* ranking = std::get_if<Ranking>(&said); ranking && !ranking->groups.empty())
    return ranking->groups.front().size() == 1 ? ranking->groups.front().front() : tie_choice;
  return no_choice;
}

void feed(QualityState& state, const Event& event) {
  if (const auto* question = std::get_if<Question>(&event.body)) take(state, event.question, *question);
  if (const auto* answer = std::get_if<Answer>(&event.body)) take(state, event, *answer);
  if (const auto* undo = std::get_if<Undo>(&event.body)) take_back(state, undo->answer);
  const auto* redaction = std::get_if<Redaction>(&event.body);
  if (redaction && redaction->events > 0) erase(state, event.annotator.name);
}

ByQuestion by_question(const QualityState& state) {
  ByQuestion grouped;
  grouped.begin.assign(state.questions.size() + 1, 0);
  for (const auto& each : state.answers)
    if (state.comparable(each)) ++grouped.begin[static_cast<std::size_t>(each.question) + 1];
  for (std::size_t q = 1; q < grouped.begin.size(); ++q) grouped.begin[q] += grouped.begin[q - 1];
  grouped.places.resize(static_cast<std::size_t>(grouped.begin.back()));
  auto next = grouped.begin;
  for (std::size_t i = 0; i < state.answers.size(); ++i) {
    const auto& each = state.answers[i];
    if (!state.comparable(each)) continue;
    grouped.places[static_cast<std::size_t>(next[static_cast<std::size_t>(each.question)]++)] =
        static_cast<std::int32_t>(i);
  }
  return grouped;
}

}  // namespace rlhf::feedback::detail
