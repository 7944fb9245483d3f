#include "rlhf/feedback/batches.h"

#include <algorithm>
#include <utility>

#include "rlhf/feedback/judgements.h"

namespace rlhf::feedback {
namespace {

data::Comparison row_of(const Question& question, const Comparison& said) {
  data::Comparison row{
      .prompt = question.prompt.ids, .items = {}, .best = said.best, .tie = said.tie, .strength = said.strength};
  for (const auto& item : question.items) row.items.push_back(item.ids);
  return row;
}

/// Follows the variant: a new kind of feedback has to be given its rows here.
struct Sorter {
  LabelRows& rows;
  const Question& question;
  std::int64_t sequence;

  const Item& item(int index) const { return question.items[static_cast<std::size_t>(index)]; }

  void operator()(const Comparison& said) const {
    if (said.incomparable) return;
    rows.comparisons.push_back(row_of(question, said));
    rows.comparison_events.push_back(sequence);
  }

  // Ouyang et al. 2022, section 3.5: a ranking of K items is K(K-1)/2 comparisons. Ties say nothing about which is
  // better.
  void operator()(const Ranking& said) const {
    for (std::size_t better = 0; better < said.groups.size(); ++better) {
      for (std::size_t worse = better + 1; worse < said.groups.size(); ++worse) {
        for (const int chosen : said.groups[better]) {
          for (const int rejected : said.groups[worse]) {
            rows.comparisons.push_back(
                {.prompt = question.prompt.ids, .items = {item(chosen).ids, item(rejected).ids}});
            rows.comparison_events.push_back(sequence);
          }
        }
      }
    }
  }

  void operator()(const Rating& said) const {
    const auto& axis = question.form.parts.front().axes.front().name;
    for (const auto& each : said.values) {
      if (each.axis != axis || question.items.empty()) continue;
      rows.ratings.push_back({.prompt = question.prompt.ids, .completion = item(each.item).ids, .value = each.value});
      rows.rating_events.push_back(sequence);
    }
  }

  void operator()(const Correction& said) const { write(said.text); }
  void operator()(const Demonstration& said) const { write(said.text); }
  void operator()(const RuleJudgement&) const {}
  void operator()(const EvidenceJudgement&) const {}
  void operator()(const SpanCritique&) const {}
  void operator()(const Conversation&) const {}  // its turns are questions of their own
  void operator()(const Signals&) const {}
  void operator()(const HintJudgement&) const {}
  void operator()(const Skip&) const {}

  void write(const std::string& text) const {
    rows.written.push_back({question.prompt, text});
    rows.written_events.push_back(sequence);
  }
};

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool counts(const LabelFilter& filter, const Question& question, const Event& event) {
  if (question.gold || !question.round.empty()) return false;
  if (!filter.annotators.empty() && !among(filter.annotators, event.annotator.name)) return false;
  if (among(filter.not_annotators, event.annotator.name)) return false;
  if (!filter.guidelines.empty() && !among(filter.guidelines, event.guideline)) return false;
  if (filter.source && !filter.source(event.annotator.source)) return false;
  return std::all_of(question.items.begin(), question.items.end(),
                     [&](const Item& item) { return item.policy_version >= filter.oldest_policy; });
}

}  // namespace

Labels read_labels(const Store& store, std::int64_t until, const LabelFilter& filter) {
  Labels labels;
  labels.cursor = each_judgement(store, until, [&](const Question& question, const Event& event) {
    if (!counts(filter, question, event)) return;
    auto& rows = question.split == Split::train ? labels.train : labels.heldout;
    const auto& said = std::get<Answer>(event.body).said;
    if (!filter.prepare) return std::visit(Sorter{rows, question, event.sequence}, said);
    auto prepared = question;
    filter.prepare(prepared);
    std::visit(Sorter{rows, prepared, event.sequence}, said);
  });
  return labels;
}

Labels wait_for_labels(const Store& store, std::int64_t wanted, std::chrono::duration<double> timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    auto labels = read_labels(store);
    const std::chrono::duration<double> left = deadline - std::chrono::steady_clock::now();
    if (static_cast<std::int64_t>(labels.train.comparisons.size()) >= wanted || !store.wait(labels.cursor, left))
      return labels;
  }
}

}  // namespace rlhf::feedback
