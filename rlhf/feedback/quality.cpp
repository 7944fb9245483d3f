#include "rlhf/feedback/quality.h"

#include <algorithm>
#include <optional>

#include "rlhf/feedback/detail/quality_state.h"
#include "rlhf/feedback/statistics/consensus.h"

namespace rlhf::feedback {

struct Quality::State : detail::QualityState {
  std::optional<AgreementReport> agreement;  // kept until something new comes
  std::optional<std::vector<AnnotatorReport>> annotators;

  void forget_reports() { agreement.reset(), annotators.reset(); }
};

Quality::Quality(QualityOptions options) : state_(std::make_unique<State>()) { state_->options = options; }
Quality::Quality(Quality&&) noexcept = default;
Quality& Quality::operator=(Quality&&) noexcept = default;
Quality::~Quality() = default;

void Quality::feed(const Event& event) {
  if (event.sequence <= state_->cursor) return;
  detail::feed(*state_, event);
  state_->cursor = event.sequence;
  state_->forget_reports();
}

std::int64_t Quality::cursor() const { return state_->cursor; }
bool Quality::stale() const { return state_->stale; }

void Quality::scores(const std::string& question, std::span<const double> scores) {
  const auto found = state_->question_of.find(question);
  if (found == state_->question_of.end() || scores.empty()) return;
  const auto best = std::max_element(scores.begin(), scores.end());
  const bool alone = std::count(scores.begin(), scores.end(), *best) == 1;
  auto& favourite = state_->questions[static_cast<std::size_t>(found->second)].favourite;
  favourite = alone ? static_cast<int>(best - scores.begin()) : detail::tie_choice;
  state_->forget_reports();
}

const AgreementReport& Quality::agreement() const {
  if (!state_->agreement) state_->agreement = detail::agreement_report(*state_);
  return *state_->agreement;
}

std::vector<AnnotatorReport> Quality::annotators(std::span<const AnnotatorRecord> listed) const {
  if (!state_->annotators) state_->annotators = detail::annotator_reports(*state_);
  auto reports = *state_->annotators;
  for (const auto& record : listed) {
    const auto found = std::find_if(reports.begin(), reports.end(),
                                    [&](const AnnotatorReport& each) { return each.record.name == record.name; });
    if (found == reports.end()) reports.push_back({.record = record});
    else found->record = record;
  }
  std::sort(reports.begin(), reports.end(),
            [](const auto& one, const auto& other) { return one.record.name < other.record.name; });
  return reports;
}

std::vector<Disagreement> Quality::disagreements(std::size_t limit) const {
  const auto grouped = detail::by_question(*state_);
  std::vector<Disagreement> found;
  for (std::size_t q = 0; q + 1 < grouped.begin.size(); ++q) {
    std::vector<int> choices;
    for (auto i = grouped.begin[q]; i < grouped.begin[q + 1]; ++i)
      choices.push_back(state_->answers[static_cast<std::size_t>(grouped.places[static_cast<std::size_t>(i)])].choice);
    if (choices.size() < 2) continue;
    const double split = statistics::split_of(choices);
    if (split > 0.0)
      found.push_back({.question = state_->questions[q].id, .split = split, .answers = static_cast<std::int64_t>(choices.size())});
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& one, const auto& other) {
    return one.split != other.split ? one.split > other.split : one.answers > other.answers;
  });
  if (found.size() > limit) found.resize(limit);
  return found;
}

void follow(Quality& quality, const Store& store, const QualityOptions& options) {
  // A redaction that a reader from the first event on meets was carried out before it began: nothing is left to forget.
  auto done = quality.cursor() == 0 ? store.latest() : 0;
  for (;;) {
    auto events = store.read(quality.cursor(), 1000);
    for (auto& event : events) {
      auto* redaction = std::get_if<Redaction>(&event.body);
      if (redaction && event.sequence <= done) redaction->events = 0;
      quality.feed(event);
    }
    if (quality.stale()) {
      quality = Quality(options);
      done = store.latest();
    } else if (events.empty()) {
      return;
    }
  }
}

}  // namespace rlhf::feedback
