#include "rlhf/feedback/kinds.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "rlhf/core/error.h"

namespace rlhf::feedback {
namespace {

void require(bool holds, const std::string& question, const std::string& what) {
  if (!holds)
    throw Error({.category = Category::bad_data,
                 .where = "question " + (question.empty() ? "without id" : question),
                 .what = what,
                 .fix = ""});
}

bool is_permutation(std::vector<int> order, std::size_t size) {
  std::sort(order.begin(), order.end());
  std::vector<int> sorted(size);
  std::iota(sorted.begin(), sorted.end(), 0);
  return order == sorted;
}

int words_in(const std::string& text) {
  int words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    words += !space && !inside ? 1 : 0;
    inside = !space;
  }
  return words;
}

std::int64_t code_points(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

/// One part of a form and what was said to it.
struct Check {
  const Question& question;
  const Part& part;

  void hold(bool holds, const std::string& what) const { require(holds, question.id, what); }
  void expect(Ask ask, const char* given) const {
    hold(part.ask == ask,
         std::string(given) + " was given, but part \"" + part.name + "\" asks to " + std::string(ask_name(part.ask)));
  }
  void item(std::int64_t index) const {
    const auto items = static_cast<std::int64_t>(question.items.size());
    hold(index >= 0 && index < items, "item " + std::to_string(index) + " is meant, but there are " +
                                          std::to_string(items) + " items, counted from 0");
  }

  void operator()(const Comparison& said) const {
    expect(Ask::compare, "a comparison");
    item(said.best);
    hold(!said.tie || part.allow_tie || (said.both_bad && part.allow_both_bad),
         "a tie was given, but this question allows none");
    hold(!said.both_bad || (part.allow_both_bad && said.tie),
         "\"both bad\" was given, but this question does not allow it");
    hold(!said.incomparable || part.allow_incomparable,
         "\"incomparable\" was given, but this question does not allow it");
    hold(std::isfinite(said.strength) && said.strength > 0 && said.strength <= 1,
         "the strength must be a number above 0 and at most 1");
  }

  void operator()(const Ranking& said) const {
    expect(Ask::rank, "a ranking");
    std::vector<int> all;
    for (const auto& group : said.groups) {
      hold(!group.empty(), "a group of the ranking is empty");
      hold(group.size() == 1 || part.allow_tie, "the ranking has a tie, but this question allows none");
      all.insert(all.end(), group.begin(), group.end());
    }
    hold(is_permutation(all, question.items.size()),
         "the ranking must name each of the " + std::to_string(question.items.size()) + " items once");
  }

  void operator()(const Rating& said) const {
    expect(Ask::rate, "a rating");
    std::set<std::pair<int, std::string>> seen;
    for (const auto& rated : said.values) {
      if (!question.items.empty()) item(rated.item);
      const auto axis =
          std::find_if(part.axes.begin(), part.axes.end(), [&](const Axis& each) { return each.name == rated.axis; });
      hold(axis != part.axes.end(),
           "the axis \"" + rated.axis + "\" is rated, but part \"" + part.name + "\" has no such axis");
      hold(rated.value >= axis->low && rated.value <= axis->high,
           "the rating " + std::to_string(rated.value) + " is outside the scale from " + std::to_string(axis->low) +
               " to " + std::to_string(axis->high));
      hold(seen.emplace(rated.item, rated.axis).second, "an item is rated twice on the axis \"" + rated.axis + "\"");
    }
    const auto wanted = part.axes.size() * std::max<std::size_t>(1, question.items.size());
    hold(!part.required || seen.size() == wanted,
         std::to_string(seen.size()) + " of " + std::to_string(wanted) + " ratings were given");
  }

  void operator()(const RuleJudgement& said) const {
    expect(Ask::judge_rules, "a judgement of rules");
    std::map<int, int> breaches;
    for (const auto& entry : said.entries) {
      if (!question.items.empty()) item(entry.item);
      breaches[entry.item] += entry.verdict == Verdict::breach;
      hold(part.most == 0 || breaches[entry.item] <= part.most,
           "more than " + std::to_string(part.most) + " were chosen in part \"" + part.name + "\"");
      hold(std::any_of(part.rules.begin(), part.rules.end(), [&](const Rule& each) { return each.name == entry.rule; }),
           "the rule \"" + entry.rule + "\" is judged, but part \"" + part.name + "\" has no such rule");
    }
    hold(!part.required || said.entries.size() == part.rules.size() * std::max<std::size_t>(1, question.items.size()),
         "every rule has to be judged for every item");
  }

  void operator()(const EvidenceJudgement& said) const {
    expect(Ask::judge_evidence, "a judgement of evidence");
    for (const auto& entry : said.entries) item(entry.item);
    hold(!part.required || said.entries.size() == question.items.size(), "the evidence of every item has to be judged");
  }

  void operator()(const SpanCritique& said) const {
    expect(Ask::mark_spans, "marked passages");
    for (const auto& span : said.spans) {
      item(span.item);
      const auto length = code_points(question.items[static_cast<std::size_t>(span.item)].text);
      hold(span.begin >= 0 && span.begin < span.end && span.end <= length,
           "a mark from " + std::to_string(span.begin) + " to " + std::to_string(span.end) +
               " does not lie in its item of " + std::to_string(length) + " characters");
      hold(std::find(part.categories.begin(), part.categories.end(), span.category) != part.categories.end(),
           "\"" + span.category + "\" is no category of part \"" + part.name + "\"");
    }
  }

  void operator()(const Correction& said) const {
    expect(Ask::correct, "a correction");
    item(said.item);
    hold(words_in(said.text) >= part.least_words,
         "the text has too few words; at least " + std::to_string(part.least_words) + " were asked for");
  }

  void operator()(const Demonstration& said) const {
    expect(Ask::demonstrate, "a demonstration");
    hold(words_in(said.text) >= part.least_words,
         "the text has too few words; at least " + std::to_string(part.least_words) + " were asked for");
  }

  void operator()(const Conversation&) const { expect(Ask::converse, "a conversation"); }
  void operator()(const Signals&) const { expect(Ask::signal, "a session of signals"); }
  void operator()(const HintJudgement& said) const {
    expect(Ask::judge_hints, "a judgement of hints");
    const auto offered = static_cast<std::int64_t>(question.hints.size());
    const auto most = part.most == 0 ? offered : std::min<std::int64_t>(offered, part.most);
    hold(said.opened >= 0 && said.opened <= most,
         std::to_string(said.opened) + " hints were opened; there are " + std::to_string(most) + " to open");
    const std::set<int> wrong(said.wrong.begin(), said.wrong.end());
    hold(wrong.size() == said.wrong.size() && (wrong.empty() || (*wrong.begin() >= 0 && *wrong.rbegin() < said.opened)),
         "only hints that were opened can be wrong, each once");
  }
  void operator()(const Skip&) const { hold(false, "a skip answers the whole question, not a part of it"); }
};

void validate_items(const Question& question) {
  const auto items = static_cast<int>(question.items.size());
  const auto& form = question.form;
  const auto expected = form.least_items == form.most_items
                            ? std::to_string(form.least_items)
                            : std::to_string(form.least_items) + " to " + std::to_string(form.most_items);
  require(items >= form.least_items && items <= form.most_items, question.id,
          "the form \"" + form.name + "\" shows " + expected + " items; there are " + std::to_string(items));
  for (const auto& hint : question.hints) {
    const bool there = hint.item >= 0 && hint.item < items;
    require(there && hint.begin >= 0 && hint.begin <= hint.end &&
                hint.end <= code_points(question.items[static_cast<std::size_t>(hint.item)].text),
            question.id, "a hint speaks of a passage that no item has: " + hint.text);
  }
  require(is_permutation(question.shown, question.items.size()), question.id,
          "the order shown must name each of the " + std::to_string(items) + " items once");
}

}  // namespace

void validate(const Question& question) {
  require(!question.id.empty(), question.id, "a question needs an id");
  validate(question.form);
  validate_items(question);
  require(question.answers >= 1, question.id, "it must want at least one answer");
  if (question.gold) validate(*question.gold, question);
}

void validate(const Answer& answer, const Question& question) {
  if (std::holds_alternative<Skip>(answer.said)) return;
  const auto& parts = question.form.parts;
  std::visit(Check{question, parts.front()}, answer.said);
  for (const auto& [name, said] : answer.details) {
    const auto* part = question.form.find(name);
    require(part && part != &parts.front(), question.id,
            "\"" + name + "\" is answered, but is no further part of the form");
    std::visit(Check{question, *part}, said);
  }
  for (std::size_t i = 1; i < parts.size(); ++i) {
    require(!parts[i].required || answer.details.contains(parts[i].name), question.id,
            "the part \"" + parts[i].name + "\" is not answered");
  }
  require(!answer.confidence || (*answer.confidence >= 0 && *answer.confidence <= 1), question.id,
          "the confidence must lie between 0 and 1");
}

}  // namespace rlhf::feedback
