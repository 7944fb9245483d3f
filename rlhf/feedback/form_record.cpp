// Forms as JSON records and as TOML files.
#include <cmath>
#include <set>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/core/toml_text.h"
#include "rlhf/feedback/detail/json_field.h"
#include "rlhf/feedback/form.h"

namespace rlhf::feedback {
namespace {

using detail::enum_of;
using detail::fail;
using detail::field;
using detail::field_or;
using detail::name_of;
using nlohmann::json;

constexpr detail::Names<Ask, 11> ask_names = {{{Ask::compare, "compare"},
                                               {Ask::rank, "rank"},
                                               {Ask::rate, "rate"},
                                               {Ask::judge_rules, "judge_rules"},
                                               {Ask::judge_evidence, "judge_evidence"},
                                               {Ask::mark_spans, "mark_spans"},
                                               {Ask::correct, "correct"},
                                               {Ask::demonstrate, "demonstrate"},
                                               {Ask::converse, "converse"},
                                               {Ask::signal, "signal"},
                                               {Ask::judge_hints, "judge_hints"}}};
constexpr detail::Names<Media, 4> media_names = {
    {{Media::text, "text"}, {Media::clip, "clip"}, {Media::dialogue, "dialogue"}, {Media::live, "live"}}};

/// A misspelt key must not be ignored.
void require_known(const json& record, std::initializer_list<std::string_view> known, std::string_view where) {
  if (!record.is_object()) fail(where, "a table was expected");
  for (const auto& [key, value] : record.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string names;
    for (const auto each : known) names += (names.empty() ? "" : ", ") + std::string(each);
    fail(where, "\"" + key + "\" is no key of this", "Known are: " + names + ".");
  }
}

json to_json(const Axis& axis) {
  return {{"name", axis.name}, {"label", axis.label}, {"low", axis.low},
          {"high", axis.high}, {"step", axis.step},   {"anchors", axis.anchors}};
}

Axis axis_from(const json& record, std::string_view where) {
  require_known(record, {"name", "label", "low", "high", "step", "anchors"}, where);
  Axis axis;
  axis.name = field<std::string>(record, "name", where);
  axis.label = field_or(record, "label", where, axis.name);
  axis.low = field<double>(record, "low", where);
  axis.high = field<double>(record, "high", where);
  axis.step = field_or(record, "step", where, 1.0);
  axis.anchors = field_or(record, "anchors", where, axis.anchors);
  return axis;
}

Rule rule_from(const json& record, std::string_view where) {
  require_known(record, {"name", "text", "example"}, where);
  return {.name = field<std::string>(record, "name", where),
          .text = field_or<std::string>(record, "text", where, ""),
          .example = field_or<std::string>(record, "example", where, "")};
}

json to_json(const Part& part) {
  auto axes = json::array(), rules = json::array();
  for (const auto& axis : part.axes) axes.push_back(to_json(axis));
  for (const auto& rule : part.rules)
    rules.push_back({{"name", rule.name}, {"text", rule.text}, {"example", rule.example}});
  return {{"name", part.name},
          {"ask", ask_name(part.ask)},
          {"label", part.label},
          {"help", part.help},
          {"required", part.required},
          {"before", part.before},
          {"allow_tie", part.allow_tie},
          {"allow_both_bad", part.allow_both_bad},
          {"allow_incomparable", part.allow_incomparable},
          {"worse", part.worse},
          {"turns", part.turns},
          {"levels", part.levels},
          {"axes", axes},
          {"rules", rules},
          {"categories", part.categories},
          {"least_words", part.least_words},
          {"most", part.most}};
}

Part part_from(const json& record, std::string_view where) {
  require_known(
      record,
      {"name", "ask", "label", "help", "required", "before", "allow_tie", "allow_both_bad", "allow_incomparable",
       "levels", "axes", "rules", "categories", "least_words", "most", "worse", "turns"},
      where);
  Part part;
  part.name = field<std::string>(record, "name", where);
  part.ask = enum_of(ask_names, field<std::string>(record, "ask", where), where, "ask");
  part.label = field_or(record, "label", where, part.name);
  part.help = field_or(record, "help", where, part.help);
  part.required = field_or(record, "required", where, part.required);
  part.before = field_or(record, "before", where, part.before);
  part.allow_tie = field_or(record, "allow_tie", where, part.allow_tie);
  part.allow_both_bad = field_or(record, "allow_both_bad", where, part.allow_both_bad);
  part.allow_incomparable = field_or(record, "allow_incomparable", where, part.allow_incomparable);
  part.worse = field_or(record, "worse", where, part.worse);
  part.turns = field_or(record, "turns", where, part.turns);
  part.levels = field_or(record, "levels", where, part.levels);
  for (const auto& axis : detail::list(record, "axes", where)) part.axes.push_back(axis_from(axis, where));
  for (const auto& rule : detail::list(record, "rules", where)) part.rules.push_back(rule_from(rule, where));
  part.categories = field_or(record, "categories", where, part.categories);
  part.least_words = field_or(record, "least_words", where, part.least_words);
  part.most = field_or(record, "most", where, part.most);
  return part;
}

Form whole_form(const json& record, std::string_view where) {
  require_known(record, {"name", "title", "instruction", "media", "least_items", "most_items", "parts"}, where);
  Form form;
  form.name = field<std::string>(record, "name", where);
  form.title = field_or<std::string>(record, "title", where, "");
  form.instruction = field_or<std::string>(record, "instruction", where, "");
  form.media = enum_of(media_names, field_or<std::string>(record, "media", where, "text"), where, "media");
  form.least_items = field_or(record, "least_items", where, form.least_items);
  form.most_items = field_or(record, "most_items", where, form.most_items);
  for (const auto& part : detail::list(record, "parts", where)) form.parts.push_back(part_from(part, where));
  validate(form);
  return form;
}

}  // namespace

std::string_view ask_name(Ask ask) { return name_of(ask_names, ask); }

json whole_json(const Form& form) {
  auto parts = json::array();
  for (const auto& part : form.parts) parts.push_back(to_json(part));
  return {{"name", form.name},
          {"title", form.title},
          {"instruction", form.instruction},
          {"media", name_of(media_names, form.media)},
          {"least_items", form.least_items},
          {"most_items", form.most_items},
          {"parts", parts}};
}

json to_json(const Form& form) {
  const auto builtin = builtin_forms().find(form.name);
  auto whole = whole_json(form);
  if (builtin != builtin_forms().end() && whole_json(builtin->second) == whole) return form.name;
  return whole;
}

Form form_from_json(const json& record, std::string_view where) {
  if (!record.is_string()) return whole_form(record, where);
  const auto name = record.get<std::string>();
  const auto found = builtin_forms().find(name);
  if (found == builtin_forms().end())
    fail(where, "there is no built-in form \"" + name + "\"", "A newer program may know it.");
  return found->second;
}

Form form_from_toml(std::string_view text, std::string_view where) {
  return whole_form(toml_document(text, std::string(where)), where);
}

Form read_form(const std::filesystem::path& file) { return form_from_toml(read_file(file), file.string()); }

}  // namespace rlhf::feedback
