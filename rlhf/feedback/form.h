#pragma once
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rlhf::feedback {

/// What one part of a form asks for. Each is answered by the kind of feedback named beside it (kinds.h).
enum class Ask {
  compare,         // Comparison: which item is better, and by how much
  rank,            // Ranking: all items, best first, ties allowed
  rate,            // Rating: a number on each axis, for each item
  judge_rules,     // RuleJudgement: does an item break a named rule
  judge_evidence,  // EvidenceJudgement: is an item plausible, and supported by what it quotes
  mark_spans,      // SpanCritique: pieces of an item, each with a category and a remark
  correct,         // Correction: an item, made better
  demonstrate,     // Demonstration: an answer written by the annotator
  converse,        // Conversation: a dialogue in which every turn offers candidates
  signal,          // Signals: + and - while an agent runs
  judge_hints,     // HintJudgement: help that the question offers, opened one by one; what is wrong about it
};

/// One scale of a rating, ends included.
struct Axis {
  std::string name = "rating", label;
  double low = 1.0, high = 7.0, step = 1.0;
  std::vector<std::pair<double, std::string>> anchors;  // values that are explained, lowest first
};

struct Rule {
  std::string name, text;
  std::string example;  // of a breach; may be empty
};

/// One question of a form, with the control that answers it.
struct Part {
  std::string name;  // key of its answer, unique in the form
  Ask ask = Ask::compare;
  std::string label;  // what the annotator reads
  std::string help;   // more, on request
  bool required = true;
  bool before = false;          // asked before the prompt and the other parts are shown, and fixed once they are
  bool allow_tie = false;       // compare, rank: items may be equally good
  bool allow_both_bad = false;  // compare: none is acceptable
  bool worse = false;           // compare, pairs: the page asks which is worse; stored is the better one all the same
  bool allow_incomparable = false;      // compare: cannot be said
  std::vector<std::string> levels;      // compare: names of the strengths, weakest first; empty = a plain choice
  std::vector<Axis> axes;               // rate
  std::vector<Rule> rules;              // judge_rules
  std::vector<std::string> categories;  // mark_spans: names of the marks
  std::string turns;                    // converse: the form that compares the replies of a turn; empty = pair_strength
  int least_words = 0;                  // correct, demonstrate: shorter texts are refused
  int most = 0;  // judge_rules: breaches an item may have; judge_hints: hints that may be opened; 0 = any
};

/// How items are shown.
enum class Media { text, clip, dialogue, live };

/// A page on which a question is answered: the parts from top to bottom. The first part is the judgement that trains.
struct Form {
  std::string name = "pair", title, instruction;
  Media media = Media::text;
  int least_items = 2, most_items = 2;
  std::vector<Part> parts;

  const Part* find(std::string_view part) const;  // nullptr when there is none
};

/// The forms of the papers, by name. A user's own form is a TOML file of the same keys (docs/forms.md).
const std::map<std::string, Form, std::less<>>& builtin_forms();

/// The built-in form of that name; throws rlhf::Error (usage) with the nearest name.
const Form& builtin_form(std::string_view name);

/// Reads a form. Throws rlhf::Error (bad_data) with file, line and column for unknown keys and for what validate()
/// says.
Form read_form(const std::filesystem::path& file);
Form form_from_toml(std::string_view text, std::string_view where);

/// Throws rlhf::Error (bad_data): no part, a name twice, a part without what it asks about (axes, rules, ...).
void validate(const Form& form);

/// A built-in form is written as its name, any other one whole.
nlohmann::json to_json(const Form& form);
nlohmann::json whole_json(const Form& form);
Form form_from_json(const nlohmann::json& record, std::string_view where);

std::string_view ask_name(Ask ask);

}  // namespace rlhf::feedback
