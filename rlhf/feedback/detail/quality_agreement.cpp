// How far the answers to the same questions agree.
#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "rlhf/feedback/detail/quality_state.h"
#include "rlhf/feedback/statistics/kappa.h"
#include "rlhf/feedback/statistics/kendall.h"

namespace rlhf::feedback::detail {
namespace {

using statistics::Given;

constexpr std::size_t most_pairs = 200;  // of annotators whose kappa is listed

std::vector<Given> human_choices(const QualityState& state) {
  std::vector<Given> choices;
  for (const auto& each : state.answers)
    if (state.comparable(each) && state.human(each))
      choices.push_back({each.annotator, each.question, static_cast<double>(each.choice)});
  return choices;
}

std::optional<statistics::Estimate> strength_alpha(const QualityState& state,
                                                   const statistics::BootstrapOptions& options) {
  std::vector<Given> strengths;
  for (const auto& each : state.answers)
    if (state.comparable(each) && state.human(each) && each.pair)
      strengths.push_back({each.annotator, each.question, static_cast<double>(each.strength)});
  return krippendorff_alpha(statistics::patterns_of(strengths), statistics::Level::ordinal, options);
}

std::optional<statistics::Estimate> ranking_agreement(const QualityState& state,
                                                      const statistics::BootstrapOptions& options) {
  std::map<std::int32_t, std::vector<std::vector<double>>> by_question;
  for (const auto& [place, ranks] : state.rankings) {
    const auto& answer = state.answers[static_cast<std::size_t>(place)];
    if (answer.stands && state.human(answer) && state.question(answer).counts)
      by_question[answer.question].push_back(ranks);
  }
  std::vector<std::vector<std::vector<double>>> rankings;
  for (auto& [question, ranks] : by_question)
    if (ranks.size() > 1) rankings.push_back(std::move(ranks));
  return statistics::mean_kendall(rankings, options);
}

std::vector<AspectAgreement> aspect_agreement(const QualityState& state, const statistics::BootstrapOptions& options) {
  std::vector<AspectAgreement> found;
  for (const auto& aspect : state.aspects) {
    std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> places;  // of (question, item)
    std::vector<Given> values;
    for (const auto& each : aspect.values) {
      const auto& answer = state.answers[static_cast<std::size_t>(each.answer)];
      if (!answer.stands || !state.human(answer) || !state.question(answer).counts) continue;
      const auto place =
          places.emplace(std::pair{answer.question, each.item}, static_cast<std::int32_t>(places.size())).first;
      values.push_back({answer.annotator, place->second, each.value});
    }
    found.push_back({.form = aspect.form,
                     .part = aspect.part,
                     .name = aspect.name,
                     .level = aspect.level,
                     .alpha = krippendorff_alpha(statistics::patterns_of(values), aspect.level, options)});
  }
  return found;
}

/// Kappa of each pair of people with something in common, from one walk over the questions.
std::vector<PairAgreement> cohen(const QualityState& state, const ByQuestion& grouped) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::map<std::pair<int, int>, double>> tables;
  for (std::size_t q = 0; q + 1 < grouped.begin.size(); ++q) {
    for (auto i = grouped.begin[q]; i < grouped.begin[q + 1]; ++i) {
      for (auto j = grouped.begin[q]; j < i; ++j) {
        const auto* one = &state.answers[static_cast<std::size_t>(grouped.places[static_cast<std::size_t>(j)])];
        const auto* other = &state.answers[static_cast<std::size_t>(grouped.places[static_cast<std::size_t>(i)])];
        if (!state.human(*one) || !state.human(*other) || one->annotator == other->annotator) continue;
        if (one->annotator > other->annotator) std::swap(one, other);
        tables[{one->annotator, other->annotator}][{one->choice, other->choice}] += 1.0;
      }
    }
  }
  std::vector<PairAgreement> found;
  for (const auto& [pair, cells] : tables) {
    std::map<int, std::size_t> place;  // of each choice in the table
    for (const auto& [said, count] : cells) place.emplace(said.first, 0), place.emplace(said.second, 0);
    std::size_t size = 0;
    for (auto& [choice, index] : place) index = size++;
    statistics::Table table(size, std::vector<double>(size, 0.0));
    for (const auto& [said, count] : cells) table[place[said.first]][place[said.second]] += count;
    if (const auto kappa = statistics::cohen_kappa(table, statistics::KappaWeights::none, {.resamples = 0}))
      found.push_back({state.annotators[static_cast<std::size_t>(pair.first)].name,
                       state.annotators[static_cast<std::size_t>(pair.second)].name, kappa->value, kappa->n});
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& one, const auto& other) { return one.n > other.n; });
  if (found.size() > most_pairs) found.resize(most_pairs);
  return found;
}

struct Count {
  std::int64_t yes = 0, all = 0;
  void add(bool right) { yes += right, ++all; }
  std::optional<statistics::Estimate> share() const { return statistics::wilson(yes, all); }
};

/// Pairs of answers in the span in which the later one came, at most sixty spans of whole hours.
std::vector<AgreementReport::At> over_time(const std::vector<std::pair<double, bool>>& pairs) {
  if (pairs.empty()) return {};
  const auto [first, last] = std::minmax_element(pairs.begin(), pairs.end());
  const double span = 3600.0 * std::max(1.0, std::ceil((last->first - first->first) / 3600.0 / 60.0));
  std::map<double, Count> spans;
  for (const auto& [at, equal] : pairs) spans[std::floor(at / span) * span].add(equal);
  std::vector<AgreementReport::At> curve;
  for (const auto& [at, count] : spans)
    curve.push_back({.at = at, .raw = static_cast<double>(count.yes) / static_cast<double>(count.all), .n = count.all});
  return curve;
}

/// What needs two answers of one question side by side.
void compare_answers(const QualityState& state, const ByQuestion& grouped, AgreementReport& report) {
  Count with_model;
  std::vector<std::pair<double, bool>> pairs;  // of people: when the later one came, whether it agreed
  for (std::size_t q = 0; q + 1 < grouped.begin.size(); ++q) {
    for (auto i = grouped.begin[q]; i < grouped.begin[q + 1]; ++i) {
      for (auto j = grouped.begin[q]; j < i; ++j) {
        const auto& one = state.answers[static_cast<std::size_t>(grouped.places[static_cast<std::size_t>(j)])];
        const auto& other = state.answers[static_cast<std::size_t>(grouped.places[static_cast<std::size_t>(i)])];
        const bool equal = one.choice == other.choice;
        if (state.human(one) && state.human(other)) pairs.emplace_back(std::max(one.at, other.at), equal);
        if (state.human(one) != state.human(other)) with_model.add(equal);
      }
    }
  }
  report.with_model = with_model.share();
  report.over_time = over_time(pairs);
}

/// What needs an answer and what is known about its question.
void compare_with_known(const QualityState& state, AgreementReport& report) {
  Count gold, reward_model;
  for (const auto& each : state.answers) {
    if (!each.stands || each.choice == no_choice || !state.human(each)) continue;
    const auto& question = state.question(each);
    if (question.gold != no_choice) gold.add(each.choice == question.gold);
    if (question.counts && question.favourite != no_choice && each.choice < tie_choice)
      reward_model.add(each.choice == question.favourite);
  }
  report.with_gold = gold.share();
  report.with_reward_model = reward_model.share();
  if (report.with_gold) report.noise = 1.0 - report.with_gold->value;
}

}  // namespace

AgreementReport agreement_report(const QualityState& state) {
  const statistics::BootstrapOptions options{.resamples = state.options.resamples};
  const auto patterns = statistics::patterns_of(human_choices(state));
  const auto grouped = by_question(state);
  AgreementReport report;
  report.raw = raw_agreement(patterns, options);
  report.fleiss = fleiss_kappa(patterns, options);
  report.krippendorff = krippendorff_alpha(patterns, statistics::Level::nominal, options);
  report.strength = strength_alpha(state, options);
  report.kendall = ranking_agreement(state, options);
  report.aspects = aspect_agreement(state, options);
  report.cohen = cohen(state, grouped);
  compare_answers(state, grouped, report);
  compare_with_known(state, report);
  return report;
}

}  // namespace rlhf::feedback::detail
