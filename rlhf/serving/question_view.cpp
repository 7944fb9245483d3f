#include "rlhf/serving/question_view.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/feedback/record.h"

namespace rlhf::serving {
namespace {

using namespace feedback;
using nlohmann::json;
using Renumber = std::function<int(int)>;

/// The same feedback with its items numbered in another way. Follows the variant.
struct Renumbered {
  const Part& part;
  const Renumber& number;

  Feedback operator()(Comparison said) const {
    if (said.tie || said.incomparable) return said;
    said.best = number(static_cast<int>(said.best));
    if (part.worse) said.best = 1 - said.best;  // the page names the worse one of two
    return said;
  }
  Feedback operator()(Ranking said) const {
    for (auto& group : said.groups) {
      for (auto& item : group) item = number(item);
    }
    return said;
  }
  Feedback operator()(Rating said) const { return each_item(std::move(said), &Rating::values); }
  Feedback operator()(RuleJudgement said) const { return each_item(std::move(said), &RuleJudgement::entries); }
  Feedback operator()(EvidenceJudgement said) const { return each_item(std::move(said), &EvidenceJudgement::entries); }
  Feedback operator()(SpanCritique said) const { return each_item(std::move(said), &SpanCritique::spans); }
  Feedback operator()(Correction said) const {
    said.item = number(said.item);
    return said;
  }
  Feedback operator()(Demonstration said) const { return said; }
  Feedback operator()(Conversation said) const { return said; }
  Feedback operator()(Signals said) const { return said; }
  Feedback operator()(HintJudgement said) const { return said; }
  Feedback operator()(Skip said) const { return said; }

  template <class Said, class Entries>
  Feedback each_item(Said said, Entries Said::* entries) const {
    for (auto& entry : said.*entries) entry.item = number(entry.item);
    return said;
  }
};

Answer renumbered(Answer answer, const Question& question, const Renumber& number) {
  answer.said = std::visit(Renumbered{question.form.parts.front(), number}, std::move(answer.said));
  for (auto& [name, said] : answer.details) {
    const auto* part = question.form.find(name);
    if (part)
      said = std::visit(Renumbered{*part, number}, std::move(said));  // what answers no part is refused by validate()
  }
  return answer;
}

/// With no items there is one thing to rate: the whole.
int item_shown_at(const Question& question, int place) {
  if (question.items.empty() && place == 0) return 0;
  if (place >= 0 && place < static_cast<int>(question.shown.size()))
    return question.shown[static_cast<std::size_t>(place)];
  throw Error({.category = Category::bad_data,
               .where = "answer",
               .what = "it names item " + std::to_string(place) + "; the question shows " +
                       std::to_string(question.shown.size()) + ", counted from 0",
               .fix = ""});
}

int place_of(const Question& question, int item) {
  const auto found = std::find(question.shown.begin(), question.shown.end(), item);
  return found == question.shown.end() ? 0 : static_cast<int>(found - question.shown.begin());
}

json view_of(const Item& item) {
  json view = {{"text", item.text}, {"quotes", json::array()}, {"clip", item.clip}};
  for (const auto& quote : item.quotes) view["quotes"].push_back({{"title", quote.title}, {"text", quote.text}});
  return view;
}

}  // namespace

json view_of(const Question& question) {
  auto items = json::array(), hints = json::array(), messages = json::array();
  for (const int item : question.shown) items.push_back(view_of(question.items[static_cast<std::size_t>(item)]));
  for (const auto& hint : question.hints)
    hints.push_back(
        {{"text", hint.text}, {"item", place_of(question, hint.item)}, {"begin", hint.begin}, {"end", hint.end}});
  for (const auto& message : question.prompt.messages)
    messages.push_back({{"role", message.role}, {"content", message.content}});
  return {{"id", question.id},
          {"form", whole_json(question.form)},
          {"prompt", {{"text", question.prompt.messages.empty() ? question.prompt.text : ""}, {"messages", messages}}},
          {"items", items},
          {"hints", hints},
          {"target", question.target},
          {"round", question.round},
          {"guideline", question.guideline}};
}

json view_of(const Assignment& assignment) {
  return {{"id", assignment.id}, {"question", view_of(assignment.question)}, {"lease_until", assignment.lease_until}};
}

json answer_view(const Answer& answer, const Question& question) {
  return to_json(renumbered(answer, question, [&](int item) { return place_of(question, item); }));
}

Answer answer_from_view(const json& view, const Question& question) {
  json record = view;
  if (record.is_object()) record["version"] = record_version;
  auto answer = renumbered(answer_from_json(record, "answer"), question,
                           [&](int place) { return item_shown_at(question, place); });
  validate(answer, question);
  return answer;
}

}  // namespace rlhf::serving
