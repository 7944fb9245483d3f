#include "rlhf/feedback/exchange/marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <sstream>

#include "rlhf/core/error.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback::exchange {
namespace {

using nlohmann::json;

/// Tools take names of small letters, digits and "_" only.
std::string plain(const std::string& name) {
  std::string text;
  for (const char c : name)
    text += c >= 'A' && c <= 'Z'                               ? static_cast<char>(c - 'A' + 'a')
            : (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c
                                                               : '_';
  return text;
}

bool whole(double value) { return std::floor(value) == value; }

/// A row of stars: whole numbers from 1 to 10 at most.
bool stars(const Axis& axis) {
  return axis.low >= 1 && axis.high <= 10 && whole(axis.low) && whole(axis.high) && whole(axis.step);
}

struct Page {
  std::vector<Mark> marks;
  std::set<std::string> names;

  void add(Control control, const std::string& part, int item, const std::string& aspect, const std::string& name) {
    std::string unique = name;
    while (!names.insert(unique).second) unique += "_";
    marks.push_back({unique, control, part, item, aspect});
  }

  /// One control for each item and aspect; the name tells only what there are several of.
  void each(Control control, const Part& part, int items, const std::vector<std::string>& aspects) {
    for (int item = 0; item < items; ++item)
      for (const auto& aspect : aspects)
        add(control, part.name, item, aspect,
            plain(part.name) + (items > 1 ? fmt::format("_{}", item) : "") +
                (aspects.size() > 1 ? "_" + plain(aspect) : ""));
  }
};

/// Without items, a dialogue as a whole is rated or judged.
int whole_or(int items) { return std::max(1, items); }

void add_part(Page& page, const Part& part, int items) {
  const auto name = plain(part.name);
  std::vector<std::string> rules;
  for (const auto& rule : part.rules) rules.push_back(rule.name);
  switch (part.ask) {
    case Ask::compare:
      page.add(Control::choice, part.name, -1, "", name);
      if (!part.levels.empty()) page.add(Control::choice, part.name, -1, "strength", name + "_strength");
      return;
    case Ask::rank:
      return page.add(Control::ranking, part.name, -1, "", name);
    case Ask::rate:
      for (int item = 0; item < whole_or(items); ++item)
        for (const auto& axis : part.axes)
          page.add(stars(axis) ? Control::rating : Control::number, part.name, item, axis.name,
                   name + (items > 1 ? fmt::format("_{}", item) : "") +
                       (part.axes.size() > 1 ? "_" + plain(axis.name) : ""));
      return;
    case Ask::judge_rules:
      return page.each(Control::choice, part, whole_or(items), rules);
    case Ask::judge_evidence:
      return page.each(Control::choice, part, items, {"plausible", "supported"});
    case Ask::mark_spans:
      return page.each(Control::spans, part, items, {""});
    case Ask::correct:
      return page.each(Control::text, part, items, {""});
    case Ask::demonstrate:
      return page.add(Control::text, part.name, -1, "", name);
    case Ask::converse:
    case Ask::signal:
    case Ask::judge_hints:
      return;  // no tool has a control for these
  }
}

/// Where a part asks for the worse of two, the answer names the other one than the store does.
Comparison asked_for(Comparison said, const Part& part) {
  if (part.worse && !said.tie && !said.incomparable) said.best = 1 - said.best;
  return said;
}

/// "tie", "response_1", ...
std::string choice_text(const Comparison& said) {
  if (said.incomparable) return "cannot compare";
  if (said.tie) return said.both_bad ? "both bad" : "tie";
  return item_name(static_cast<int>(said.best));
}

/// The level that a strength came from; null where none was offered or it lies between two.
json level_of(const Comparison& said, const Part& part) {
  if (said.tie || said.incomparable || part.levels.empty()) return nullptr;
  const double place = said.strength * static_cast<double>(part.levels.size());
  const auto level = std::lround(place);
  if (std::abs(place - static_cast<double>(level)) > 1e-9 || level < 1) return nullptr;
  return part.levels[static_cast<std::size_t>(level - 1)];
}

/// The entry of a list in a record that tells about this item and, under `key`, this aspect.
const json* entry(const json& list, int item, const char* key, const std::string& aspect) {
  for (const auto& each : list)
    if (each["item"] == item && (key == nullptr || each[key] == aspect)) return &each;
  return nullptr;
}

json spans_of(const SpanCritique& said, int item) {
  auto spans = json::array();
  for (const auto& each : said.spans)
    if (each.item == item)
      spans.push_back({{"begin", each.begin}, {"end", each.end}, {"label", each.category}, {"remark", each.remark}});
  const bool tells = !spans.empty() || (item == 0 && said.spans.empty());  // nothing to mark is an answer too
  return tells ? spans : json();
}

/// What a control shows of what a part was answered with; null where it stays empty.
json value_of(const Mark& mark, const Part& part, const Feedback& said) {
  if (const auto* one = std::get_if<Comparison>(&said))
    return mark.aspect == "strength" ? level_of(*one, part) : json(choice_text(asked_for(*one, part)));
  if (const auto* ranking = std::get_if<Ranking>(&said)) return ranking->groups;
  if (const auto* spans = std::get_if<SpanCritique>(&said)) return spans_of(*spans, mark.item);
  if (const auto* text = std::get_if<Demonstration>(&said)) return text->text;
  if (const auto* better = std::get_if<Correction>(&said))
    return better->item == mark.item ? json(better->text) : json();
  const auto record = to_json(said);
  if (part.ask == Ask::rate)
    if (const auto* found = entry(record["values"], mark.item, "axis", mark.aspect)) return (*found)["value"];
  if (part.ask == Ask::judge_rules)
    if (const auto* found = entry(record["entries"], mark.item, "rule", mark.aspect)) return (*found)["verdict"];
  if (part.ask == Ask::judge_evidence)
    if (const auto* found = entry(record["entries"], mark.item, nullptr, "")) return (*found)[mark.aspect];
  return nullptr;
}

/// What was said of a part: the form's first one is the answer itself.
const Feedback* said_of(const Question& question, const Answer& answer, const std::string& part) {
  if (part == question.form.parts.front().name) return &answer.said;
  const auto found = answer.details.find(part);
  return found == answer.details.end() ? nullptr : &found->second;
}

bool answers_first(const Question& question, const Marks& marks) {
  const auto all = page(question);
  return std::any_of(all.begin(), all.end(), [&](const Mark& mark) {
    return mark.part == question.form.parts.front().name && marks.contains(mark.name);
  });
}

void count_unsayable(const Part& part, const Feedback& said, Report& report) {
  if (std::holds_alternative<Conversation>(said)) report.leave_out("conversations (see the format events)");
  if (std::holds_alternative<HintJudgement>(said)) report.leave_out("judgements of hints (see the format events)");
  if (std::holds_alternative<Signals>(said)) report.leave_out("signals (see the format events)");
  if (const auto* one = std::get_if<Comparison>(&said))
    if (one->strength != 1.0 && level_of(*one, part).is_null())
      report.leave_out("strengths that are no level of the form");
}

Comparison comparison_from(const std::string& choice, int items, const std::string& where) {
  if (choice == "cannot compare") return {.incomparable = true};
  if (choice == "tie" || choice == "both bad") return {.tie = true, .both_bad = choice == "both bad"};
  for (int item = 0; item < items; ++item)
    if (choice == item_name(item)) return {.best = item};
  throw Error(
      {.category = Category::bad_data, .where = where, .what = "\"" + choice + "\" names no response", .fix = ""});
}

double strength_of(const std::string& level, const Part& part, const std::string& where) {
  const auto found = std::find(part.levels.begin(), part.levels.end(), level);
  if (found != part.levels.end())
    return static_cast<double>(found - part.levels.begin() + 1) / static_cast<double>(part.levels.size());
  throw Error(
      {.category = Category::bad_data, .where = where, .what = "\"" + level + "\" is no level of the form", .fix = ""});
}

/// Puts the value of a control into the record of what its part was answered with (see record.h).
void put(json& record, const Mark& mark, const Part& part, const json& value, int items, const std::string& where) {
  switch (part.ask) {
    case Ask::compare:
      if (mark.aspect == "strength") {
        if (!record.is_null()) record["strength"] = strength_of(value.get<std::string>(), part, where);
        return;
      }
      record = to_json(Feedback(asked_for(comparison_from(value.get<std::string>(), items, where), part)));
      return;
    case Ask::rank:
      record = {{"kind", "ranking"}, {"groups", value}};
      return;
    case Ask::rate:
      record["kind"] = "rating";
      record["values"].push_back({{"item", mark.item}, {"axis", mark.aspect}, {"value", value}});
      return;
    case Ask::judge_rules:
      record["kind"] = "rule_judgement";
      record["entries"].push_back({{"item", mark.item}, {"rule", mark.aspect}, {"verdict", value}});
      return;
    case Ask::judge_evidence:
      record["kind"] = "evidence_judgement";
      if (mark.aspect == "plausible") record["entries"].push_back({{"item", mark.item}, {"supported", "unsure"}});
      if (record.contains("entries")) record["entries"].back()[mark.aspect] = value;
      return;
    case Ask::mark_spans:
      if (record.is_null()) record = {{"kind", "span_critique"}, {"spans", json::array()}};
      for (const auto& each : value)
        record["spans"].push_back({{"item", mark.item},
                                   {"begin", each["begin"]},
                                   {"end", each["end"]},
                                   {"category", each["label"]},
                                   {"remark", each.value("remark", "")}});
      return;
    case Ask::correct:
      record = {{"kind", "correction"}, {"item", mark.item}, {"text", value}};
      return;
    case Ask::demonstrate:
      record = {{"kind", "demonstration"}, {"text", value}};
      return;
    case Ask::converse:
    case Ask::signal:
    case Ask::judge_hints:
      return;
  }
}

}  // namespace

std::string item_name(int item) { return fmt::format("response_{}", item); }

std::vector<Mark> page(const Question& question) {
  Page page;
  for (const auto& part : question.form.parts) add_part(page, part, static_cast<int>(question.items.size()));
  page.add(Control::text, "", -1, "comment", "comment");
  page.add(Control::choices, "", -1, "flags", "flags");
  page.add(Control::number, "", -1, "confidence", "confidence");
  return page.marks;
}

Marks marks_of(const Question& question, const Answer& answer, Report& report) {
  Marks marks;
  for (const auto& mark : page(question)) {
    json value;
    if (mark.part.empty()) {
      if (mark.aspect == "comment" && !answer.comment.empty()) value = answer.comment;
      if (mark.aspect == "flags" && !answer.flags.empty()) value = answer.flags;
      if (mark.aspect == "confidence" && answer.confidence) value = *answer.confidence;
    } else if (const auto* said = said_of(question, answer, mark.part)) {
      value = value_of(mark, *question.form.find(mark.part), *said);
    }
    if (mark.control == Control::rating && value.is_number() && !whole(value.get<double>())) {
      report.leave_out("ratings between two whole numbers");
      continue;
    }
    if (!value.is_null()) marks.emplace(mark.name, value);
  }
  for (const auto& part : question.form.parts)
    if (const auto* said = said_of(question, answer, part.name)) count_unsayable(part, *said, report);
  if (!answer.client.is_null()) report.leave_out("notes of the page (the rest was written)");
  return answers_first(question, marks) ? marks : Marks{};
}

Answer answer_of(const Question& question, const Marks& marks, const std::string& where) {
  Answer answer;
  std::map<std::string, json> records;  // by part
  for (const auto& mark : page(question)) {
    const auto found = marks.find(mark.name);
    if (found == marks.end()) continue;
    if (!mark.part.empty())
      put(records[mark.part], mark, *question.form.find(mark.part), found->second,
          static_cast<int>(question.items.size()), where);
    else if (mark.aspect == "comment")
      answer.comment = found->second.get<std::string>();
    else if (mark.aspect == "flags")
      answer.flags = found->second.get<std::vector<std::string>>();
    else
      answer.confidence = found->second.get<double>();
  }
  const auto& first = question.form.parts.front().name;
  if (!records.contains(first) || records[first].is_null())
    throw Error({.category = Category::bad_data,
                 .where = where,
                 .what = "nothing answers \"" + first + "\" of the form " + question.form.name,
                 .fix = "Are the questions named as the form's parts are?"});
  for (const auto& [part, record] : records)
    if (part == first)
      answer.said = feedback_from_json(record, where);
    else if (!record.is_null())
      answer.details.emplace(part, feedback_from_json(record, where));
  return answer;
}

Json kept_columns(const Question& question) {
  return question.metadata.is_object() ? Json(question.metadata.value("columns", json::object())) : Json::object();
}

void keep(const json& row, std::initializer_list<const char*> answers, Draft& draft) {
  auto& question = draft.judged.question;
  question.metadata["columns"] = without(row, answers);
  if (const auto id = row.find("id"); id != row.end() && !id->is_null())
    question.id = id->is_string() ? id->get<std::string>() : draft.format + "/" + id->dump();
}

json page_notes(const Judged& judged) {
  const auto& question = judged.question;
  const auto form = to_json(question.form);
  json notes = {{"form", form.is_string() ? form : json(form.dump())}, {"split", split_name(question.split)}};
  if (!std::is_sorted(question.shown.begin(), question.shown.end()))
    notes["shown"] = fmt::format("{}", fmt::join(question.shown, " "));
  for (const auto& event : judged.answers)
    if (event.annotator.source == Source::simulated) notes["simulated"].push_back(event.annotator.name);
  return notes;
}

void ask_page(Draft& draft, const json& notes, data::Prompt prompt, const std::vector<std::string>& items) {
  if (notes.value("split", "train") != "train") draft.split = Split::heldout;
  const char* usual = items.empty()       ? "demonstration"
                      : items.size() == 1 ? "rating"
                      : items.size() == 2 ? "pair_with_ties"
                                          : "ranking";
  const auto form = notes.value("form", usual);
  const bool own = form.starts_with("{");
  ask(draft, own ? usual : form, std::move(prompt), items);
  auto& question = draft.judged.question;
  if (own) question.form = form_from_json(json::parse(form), draft.where);
  std::istringstream shown(notes.value("shown", ""));
  const std::vector<int> order{std::istream_iterator<int>(shown), {}};
  if (order.size() == items.size()) question.shown = order;
}

void count_missing(const Question& question, bool quotes, Report& report) {
  for (const auto& item : question.items) {
    if (!item.clip.empty()) report.leave_out("clips (the rest was written)");
    if (quotes && !item.quotes.empty()) report.leave_out("quotes (the rest was written)");
  }
  if (!question.hints.empty()) report.leave_out("hints (the rest was written)");
  for (const auto& turn : question.prompt.messages)
    if (turn.extra.is_object() && !turn.extra.empty())
      report.leave_out("turns with more than role and content (these were written)");
}

}  // namespace rlhf::feedback::exchange
