#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/feedback/exchange/formats.h"

namespace rlhf::feedback::exchange {

/// What annotation tools know to ask for. A part of a form becomes one or several of these.
enum class Control { choice, choices, rating, number, text, ranking, spans };

/// One control on the page of a question, as such tools lay it out.
struct Mark {
  std::string name;  // unique on the page; small letters, digits, "_"
  Control control = Control::text;
  std::string part;    // of the form; empty = a remark on the whole answer
  int item = -1;       // the item it is about; -1 = all of them
  std::string aspect;  // axis, rule, claim, or "strength"
};

/// By the name of a control, as JSON: choice and text a string, choices a list of them, rating and number a number,
/// ranking a list of groups of items (best first), spans a list of {"begin", "end", "label", "remark"} in code points.
using Marks = std::map<std::string, nlohmann::json>;

/// The controls of a question, in the order of its form, and then those for comment, flags and confidence.
std::vector<Mark> page(const Question& question);

/// The name of an item on the page: "response_0".
std::string item_name(int item);

/// An answer as values of controls; empty where the form's first part is of a kind that no control has. What cannot be
/// said is counted.
Marks marks_of(const Question& question, const Answer& answer, Report& report);

/// The other way. Throws rlhf::Error (bad_data) for values that the form does not have, and where nothing answers its
/// first part.
Answer answer_of(const Question& question, const Marks& marks, const std::string& where);

/// What a file said beside prompt, items and answers, to write it again; empty for a question of our own.
Json kept_columns(const Question& question);

/// Keeps the columns of a row but for those named, and its id: the one that the tool knows the record by.
void keep(const nlohmann::json& row, std::initializer_list<const char*> answers, Draft& draft);

// What both tools keep beside a question: form, split, order shown, and which annotators are simulated.
nlohmann::json page_notes(const Judged& judged);

/// Asks what a row shows; `notes` may be of another program, and then the form is the usual one for that many items.
void ask_page(Draft& draft, const nlohmann::json& notes, data::Prompt prompt, const std::vector<std::string>& items);

/// Counts what these tools have no place for: clips, quotes, texts beside role and content of a turn.
void count_missing(const Question& question, bool quotes, Report& report);

}  // namespace rlhf::feedback::exchange
