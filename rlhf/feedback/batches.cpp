#include "rlhf/feedback/batches.h"

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

data::Rating row_of(const Question& question, const Rating& said) {
  return {.prompt = question.prompt.ids, .completion = question.items.front().ids, .value = said.value};
}

/// Follows the variant: a new kind of feedback has to be given its rows here.
struct Sorter {
  Labels& labels;
  const Question& question;
  std::int64_t sequence;

  void operator()(const Comparison& said) const {
    const bool train = question.split == Split::train;
    (train ? labels.train : labels.heldout).push_back(row_of(question, said));
    (train ? labels.train_events : labels.heldout_events).push_back(sequence);
  }
  void operator()(const Rating& said) const {
    const bool train = question.split == Split::train;
    (train ? labels.train_ratings : labels.heldout_ratings).push_back(row_of(question, said));
    (train ? labels.train_rating_events : labels.heldout_rating_events).push_back(sequence);
  }
  void operator()(const Skip&) const {}
  void operator()(const Undo&) const {}
};

}  // namespace

Labels read_labels(const Store& store, std::int64_t until) {
  Labels labels;
  labels.cursor = each_judgement(store, until, [&](const Question& question, const Event& event) {
    std::visit(Sorter{labels, question, event.sequence}, std::get<Feedback>(event.body));
  });
  return labels;
}

Labels wait_for_labels(const Store& store, std::int64_t wanted, std::chrono::duration<double> timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    auto labels = read_labels(store);
    const std::chrono::duration<double> left = deadline - std::chrono::steady_clock::now();
    if (static_cast<std::int64_t>(labels.train.size()) >= wanted || !store.wait(labels.cursor, left)) return labels;
  }
}

}  // namespace rlhf::feedback
