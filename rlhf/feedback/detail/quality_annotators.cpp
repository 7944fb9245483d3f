// What the answers say about each annotator.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "rlhf/feedback/detail/quality_state.h"
#include "rlhf/feedback/statistics/consensus.h"
#include "rlhf/feedback/statistics/dawid_skene.h"
#include "rlhf/feedback/statistics/reliability.h"

namespace rlhf::feedback::detail {
namespace {

using statistics::Tally;

// Estimates of who is right settle long before this; more answers would only make the page wait.
constexpr std::size_t most_answers = 200'000;

/// What is counted about one annotator on the way over the answers.
struct Work {
  AnnotatorReport report;
  Tally left, longer, gold, agreeing, consistent, fast;
  std::vector<double> seconds;
  std::vector<statistics::Timed> times;
  std::unordered_map<std::uint64_t, std::uint64_t> said;  // by content of the question: what was chosen
};

/// The choice in words that do not depend on the order of the items.
std::uint64_t meaning(const QuestionState& question, int choice) {
  return choice < tie_choice ? question.items[static_cast<std::size_t>(choice)] : static_cast<std::uint64_t>(choice);
}

/// Did the others, where they are of one mind, choose the same?
std::optional<bool> agrees_with_others(const QualityState& state, const ByQuestion& grouped,
                                       const AnswerState& answer) {
  std::vector<int> others;
  const auto q = static_cast<std::size_t>(answer.question);
  for (auto i = grouped.begin[q]; i < grouped.begin[q + 1]; ++i) {
    const auto& each = state.answers[static_cast<std::size_t>(grouped.places[static_cast<std::size_t>(i)])];
    if (each.annotator != answer.annotator) others.push_back(each.choice);
  }
  const auto plain = statistics::majority(others);
  if (!plain || plain->tied) return std::nullopt;
  return plain->category == answer.choice;
}

void count_choice(const QualityState& state, const ByQuestion& grouped, const AnswerState& answer, Work& work) {
  const auto& question = state.question(answer);
  const bool picked = answer.choice < tie_choice;
  if (answer.pair && picked) work.left.add(answer.choice == question.first_shown);
  if (answer.pair && picked && question.longer != no_choice) work.longer.add(answer.choice == question.longer);
  const auto [before, is_new] = work.said.emplace(question.content, meaning(question, answer.choice));
  if (!is_new) work.consistent.add(before->second == meaning(question, answer.choice));
  std::optional<bool> right;
  if (question.gold != no_choice)
    work.gold.add(*(right = answer.choice == question.gold));
  else if (question.counts)
    right = agrees_with_others(state, grouped, answer);
  work.times.back().right = right;
}

/// Agreement with each other person, pair by pair.
void count_pairs(const QualityState& state, const ByQuestion& grouped, std::vector<Work>& works) {
  for (std::size_t q = 0; q + 1 < grouped.begin.size(); ++q) {
    for (auto i = grouped.begin[q]; i < grouped.begin[q + 1]; ++i) {
      for (auto j = grouped.begin[q]; j < grouped.begin[q + 1]; ++j) {
        const auto& one = state.answers[static_cast<std::size_t>(grouped.places[static_cast<std::size_t>(i)])];
        const auto& other = state.answers[static_cast<std::size_t>(grouped.places[static_cast<std::size_t>(j)])];
        if (one.annotator == other.annotator || !state.human(other)) continue;
        works[static_cast<std::size_t>(one.annotator)].agreeing.add(one.choice == other.choice);
      }
    }
  }
}

void count_answers(const QualityState& state, const ByQuestion& grouped, std::vector<Work>& works) {
  for (const auto& answer : state.answers) {
    if (!answer.stands) continue;
    auto& work = works[static_cast<std::size_t>(answer.annotator)];
    work.report.last_at = std::max(work.report.last_at, answer.at);
    if (answer.skip) {
      ++work.report.skips;
      continue;
    }
    ++work.report.answers;
    work.times.push_back({.at = answer.at, .active_seconds = answer.active_seconds, .right = {}});
    if (answer.active_seconds > 0.0f) {
      work.seconds.push_back(answer.active_seconds);
      work.fast.add(answer.active_seconds < state.question(answer).least_seconds);
    }
    if (answer.choice != no_choice) count_choice(state, grouped, answer, work);
  }
}

/// The answers to questions that several answered, questions and choices numbered anew.
struct Overlap {
  std::vector<statistics::Given> choices;
  std::vector<statistics::Judged> pairs;
  int questions = 0, categories = 0;
};

Overlap overlap_of(const QualityState& state, const ByQuestion& grouped) {
  Overlap overlap;
  std::map<int, int> category;
  for (std::size_t q = 0; q + 1 < grouped.begin.size() && overlap.choices.size() < most_answers; ++q) {
    if (grouped.begin[q + 1] - grouped.begin[q] < 2) continue;
    for (auto i = grouped.begin[q]; i < grouped.begin[q + 1]; ++i) {
      const auto& answer = state.answers[static_cast<std::size_t>(grouped.places[static_cast<std::size_t>(i)])];
      const int number = category.emplace(answer.choice, static_cast<int>(category.size())).first->second;
      overlap.choices.push_back({answer.annotator, overlap.questions, static_cast<double>(number)});
      if (!answer.pair) continue;
      overlap.pairs.push_back({.annotator = answer.annotator,
                               .one = 2 * overlap.questions,
                               .other = 2 * overlap.questions + 1,
                               .preferred = answer.choice == 0   ? 1.0
                                            : answer.choice == 1 ? 0.0
                                                                 : 0.5,
                               .side = state.questions[q].first_shown == 0 ? 1.0 : -1.0});
    }
    ++overlap.questions;
  }
  overlap.categories = static_cast<int>(category.size());
  return overlap;
}

void estimate_reliability(const QualityState& state, const ByQuestion& grouped, std::vector<Work>& works) {
  const auto overlap = overlap_of(state, grouped);
  if (overlap.choices.empty()) return;
  const auto annotators = static_cast<int>(works.size());
  const auto model = statistics::dawid_skene(overlap.choices, annotators, overlap.questions, overlap.categories,
                                             {.rounds = 50, .tolerance = 1e-4});
  const auto fit =
      statistics::fit_reliability(overlap.pairs, annotators, 2 * overlap.questions, {.rounds = 30, .tolerance = 1e-3});
  for (const auto& each : overlap.choices) {
    const auto u = static_cast<std::size_t>(each.annotator);
    works[u].report.reliability = model.accuracy[u];
  }
  for (const auto& each : overlap.pairs) {
    const auto u = static_cast<std::size_t>(each.annotator);
    works[u].report.slope = fit.reliability[u];
    works[u].report.side = fit.side[u];
  }
}

std::vector<std::string> warnings_of(const QualityState& state, const Work& work) {
  std::vector<std::string> warnings;
  const auto percent = [](const statistics::Estimate& share) { return fmt::format("{:.0f} %", 100 * share.value); };
  if (statistics::picks_by_place(work.left, state.options.place))
    warnings.push_back(fmt::format("picks by place: {} left of {}", percent(*work.left.share()), work.left.count()));
  if (work.report.gold_verdict != statistics::GoldVerdict::good) {
    const auto share = work.gold.recent().value_or(*work.gold.share());
    warnings.push_back(fmt::format("test questions: {} right of the last {}", percent(share), share.n));
  }
  if (work.fast.count() >= 10 && work.fast.share()->value > state.options.too_fast_share)
    warnings.push_back(fmt::format("too fast to have read: {} of {}", percent(*work.fast.share()), work.fast.count()));
  if (work.consistent.count() >= 5 && work.consistent.share()->high < 0.7)
    warnings.push_back(
        fmt::format("answers differently when asked again: {} the same", percent(*work.consistent.share())));
  if (work.report.skips > 10 && work.report.skips > work.report.answers)
    warnings.push_back(fmt::format("skips more than half: {}", work.report.skips));
  return warnings;
}

void finish(const QualityState& state, Work& work) {
  auto& report = work.report;
  report.median_seconds = statistics::median(work.seconds);
  report.agreement = work.agreeing.share();
  report.gold_accuracy = work.gold.share();
  report.gold_verdict = statistics::judge_gold(work.gold, state.options.gold);
  report.left_share = work.left.share();
  report.longer_share = work.longer.share();
  report.consistency = work.consistent.share();
  report.too_fast = work.fast.share();
  report.fatigue = statistics::fatigue_curve(work.times);
  report.warnings = warnings_of(state, work);
}

}  // namespace

std::vector<AnnotatorReport> annotator_reports(const QualityState& state) {
  const auto grouped = by_question(state);
  std::vector<Work> works(state.annotators.size());
  count_answers(state, grouped, works);
  count_pairs(state, grouped, works);
  estimate_reliability(state, grouped, works);
  std::vector<AnnotatorReport> reports;
  for (std::size_t i = 0; i < works.size(); ++i) {
    auto& report = works[i].report;
    if (report.answers + report.skips == 0) continue;  // took everything back, or was erased
    finish(state, works[i]);
    report.record.name = state.annotators[i].name;
    report.record.source = state.annotators[i].source;
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace rlhf::feedback::detail
