#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rlhf/feedback/exchange/judged.h"

namespace rlhf::feedback::exchange {

using Json = nlohmann::ordered_json;  // rows keep the order of columns that users of a format know

/// A row of a file, and the side of the split it belongs to.
struct Row {
  Json value;
  Split split = Split::train;
};

/// Where a writer puts rows; what does not fit is counted by reason.
struct Sheet {
  std::vector<Row> rows;
  Report report;

  void add(const Question& question, Json value) { rows.push_back({std::move(value), question.split}); }
};

/// Where a reader puts a row: what was asked, and what the annotators of the file said.
struct Draft {
  std::string format, where;  // name of the format; "pairs.jsonl:17"
  Judged judged;
  std::string annotator = "import";
  Split split = Split::train;
  std::vector<std::string> left_out;  // what the row holds and a question or an answer does not; counted by reason
};

/// A format of other tools. Several rows may come of one question, and one row may hold several answers.
struct Format {
  std::string_view name, what;
  std::string_view ending;  // "jsonl", "json" (one array) or "csv"
  std::function<void(const Judged&, Sheet&)> write;
  std::function<void(const nlohmann::json& row, Draft&)> read;  // empty: the format cannot be read back
};

const std::vector<Format>& formats();
const Format& format(std::string_view name);  // throws rlhf::Error (usage)

// What readers are made of
// ------------------------------------------------------------------------------------------------

/// A text, or a list of {"role", "content"}. Throws rlhf::Error (bad_data).
data::Prompt prompt_from(const nlohmann::json& value, const std::string& where);
nlohmann::json prompt_json(const data::Prompt& prompt);

/// Fills in prompt, items and form; shown in the order given.
void ask(Draft& draft, std::string_view form, data::Prompt prompt, const std::vector<std::string>& items);

/// Adds an answer of this annotator; `at` is 0 where the file does not say when.
void answer(Draft& draft, const std::string& annotator, Answer said, double at = 0.0);

/// A column that has to be there; throws rlhf::Error (bad_data) with the place and what is there instead.
const nlohmann::json& column(const nlohmann::json& row, const char* name, const std::string& where);
std::string text_column(const nlohmann::json& row, const char* name, const std::string& where);

/// Where some rows of TRL hold texts and some lists of turns, all of them become lists of turns: TRL decides by the first
/// row whether it ends texts with the end token or asks the chat template.
void alike(Sheet& sheet);

/// The columns of a row but for those named: kept with the question so that writing gives them back.
nlohmann::json without(nlohmann::json row, std::initializer_list<const char*> names);

/// Calls use(chosen, rejected) for each pair of items that an answer puts in order; says why there is none otherwise.
void each_pair(const Judged& judged, Sheet& sheet,
               const std::function<void(int chosen, int rejected, const Event&)>& use);

// The formats, one file a family.
std::vector<Format> trl_formats();
std::vector<Format> dialogue_formats();
std::vector<Format> paper_formats();
Format argilla_format();
Format label_studio_format();
Format csv_format();

}  // namespace rlhf::feedback::exchange
