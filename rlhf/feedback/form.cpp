#include "rlhf/feedback/form.h"

#include <algorithm>
#include <array>
#include <set>

#include "rlhf/core/error.h"
#include "rlhf/core/spelling.h"

namespace rlhf::feedback {

/// The files of forms/, compiled in (CMakeLists.txt).
namespace forms {
extern const std::string_view best_of_n_toml, clips_toml, conversation_toml, correction_toml, critique_toml,
    demonstration_toml, gophercite_toml, hinted_comparison_toml, instructgpt_toml, more_harmful_toml,
    naive_interpretation_toml, pair_toml, pair_strength_toml, pair_with_ties_toml, probe_rule_toml, ranking_toml,
    rating_toml, red_team_toml, red_team_review_toml, shaping_toml, sparrow_preference_toml, sparrow_rules_toml,
    summary_axes_toml, summary_comparison_toml, webgpt_toml;
}  // namespace forms

namespace {

void require(bool holds, const Form& form, const std::string& what, const std::string& fix = "") {
  if (holds) return;
  throw Error({.category = Category::bad_data, .where = "form \"" + form.name + "\"", .what = what, .fix = fix});
}

void validate_axes(const Form& form, const Part& part) {
  std::set<std::string> names;
  for (const auto& axis : part.axes) {
    require(names.insert(axis.name).second, form, "part \"" + part.name + "\" has two axes \"" + axis.name + "\"");
    require(axis.low < axis.high && axis.step > 0, form,
            "the scale \"" + axis.name + "\" must have its low end below its high end, and a step above 0");
  }
}

void validate_part(const Form& form, const Part& part) {
  const auto named = "part \"" + part.name + "\"";
  require(!part.name.empty(), form, "a part has no name");
  require(part.ask != Ask::rate || !part.axes.empty(), form, named + " rates, but has no axes",
          "Add [[parts.axes]] with name, low and high.");
  require(part.ask != Ask::judge_rules || !part.rules.empty(), form, named + " judges rules, but has none",
          "Add rules = [{ name = ..., text = ... }].");
  require(part.ask != Ask::mark_spans || !part.categories.empty(), form,
          named + " marks passages, but has no categories");
  // Without items, a dialogue as a whole is rated or judged.
  constexpr std::array itemless = {Ask::demonstrate, Ask::converse,    Ask::signal,
                                   Ask::rate,        Ask::judge_rules, Ask::judge_hints};
  const bool needs_items = std::find(itemless.begin(), itemless.end(), part.ask) == itemless.end();
  require(!needs_items || form.least_items >= 1, form, named + " asks about items, but the form may have none",
          "Set least_items.");
  require((part.ask != Ask::compare && part.ask != Ask::rank) || form.least_items >= 2, form,
          named + " compares, but the form may have fewer than two items", "Set least_items = 2.");
  require(!part.worse || (part.ask == Ask::compare && form.least_items == 2 && form.most_items == 2), form,
          named + " asks for the worse one, which only a comparison of two can",
          "Set least_items and most_items to 2.");
  require(part.turns.empty() || part.ask == Ask::converse, form, named + " has turns, but is no conversation");
  validate_axes(form, part);
}

}  // namespace

const Part* Form::find(std::string_view part) const {
  const auto found = std::find_if(parts.begin(), parts.end(), [&](const Part& each) { return each.name == part; });
  return found == parts.end() ? nullptr : &*found;
}

void validate(const Form& form) {
  require(!form.name.empty(), form, "a form needs a name");
  require(!form.parts.empty(), form, "a form needs at least one part", "Add [[parts]] with name and ask.");
  require(!form.parts.front().before, form,
          "its first part is the judgement that trains; it cannot be asked before the rest",
          "Put the part with before = true behind it: it is shown first all the same.");
  require(form.least_items >= 0 && form.least_items <= form.most_items, form,
          "least_items must lie between 0 and most_items");
  std::set<std::string> names;
  for (const auto& part : form.parts) {
    validate_part(form, part);
    require(names.insert(part.name).second, form, "two parts are called \"" + part.name + "\"");
  }
}

const std::map<std::string, Form, std::less<>>& builtin_forms() {
  static const auto table = [] {
    std::map<std::string, Form, std::less<>> made;
    for (const auto text : {forms::best_of_n_toml,
                            forms::clips_toml,
                            forms::conversation_toml,
                            forms::correction_toml,
                            forms::critique_toml,
                            forms::demonstration_toml,
                            forms::gophercite_toml,
                            forms::hinted_comparison_toml,
                            forms::instructgpt_toml,
                            forms::more_harmful_toml,
                            forms::naive_interpretation_toml,
                            forms::pair_toml,
                            forms::pair_strength_toml,
                            forms::pair_with_ties_toml,
                            forms::probe_rule_toml,
                            forms::ranking_toml,
                            forms::rating_toml,
                            forms::red_team_toml,
                            forms::red_team_review_toml,
                            forms::shaping_toml,
                            forms::sparrow_preference_toml,
                            forms::sparrow_rules_toml,
                            forms::summary_axes_toml,
                            forms::summary_comparison_toml,
                            forms::webgpt_toml}) {
      auto form = form_from_toml(text, "built-in form");
      made.emplace(form.name, std::move(form));
    }
    return made;
  }();
  return table;
}

const Form& builtin_form(std::string_view name) {
  const auto& table = builtin_forms();
  if (const auto found = table.find(name); found != table.end()) return found->second;
  std::vector<std::string> names;
  std::string known;
  for (const auto& [each, form] : table) {
    names.push_back(each);
    known += (known.empty() ? "" : ", ") + each;
  }
  const auto meant = nearest(name, names);
  throw Error({.category = Category::usage,
               .where = "form \"" + std::string(name) + "\"",
               .what = "there is no such form",
               .fix = meant ? "Did you mean \"" + *meant + "\"?" : "There are: " + known + "."});
}

}  // namespace rlhf::feedback
