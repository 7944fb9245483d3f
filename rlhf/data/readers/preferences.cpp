#include <cmath>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/data/readers/columns.h"
#include "rlhf/data/readers/each_row.h"
#include "rlhf/data/readers/rows.h"
#include "rlhf/data/readers/shared_prompt.h"

namespace rlhf::data {
namespace {

double strength_of(const JsonlRow& row) {
  const double strength = number_column(row, "strength", 1.0);
  if (strength > 0) return strength;
  throw Error({.category = Category::bad_data,
               .where = row.where,
               .what = "\"strength\" is " + std::to_string(strength) + "; a number above 0 was expected",
               .fix = ""});
}

/// Splits the beginning that both have off as the prompt.
void split_shared_prompt(Preference& row) {
  const auto& chosen = row.items[0];
  const auto& rejected = row.items[1];
  const auto bytes = shared_prompt_bytes(chosen.text, rejected.text);
  row.prompt.text = chosen.text.substr(0, bytes);
  const auto turns = static_cast<std::ptrdiff_t>(shared_prompt_turns(chosen.messages, rejected.messages));
  row.prompt.messages.assign(chosen.messages.begin(), chosen.messages.begin() + turns);
  for (auto& item : row.items) {
    item.text.erase(0, bytes);
    item.messages.erase(item.messages.begin(), item.messages.begin() + turns);
  }
}

Preference from_pair(const JsonlRow& row, const std::string& file) {
  const bool explicit_prompt = row.value.contains("prompt") && !row.value["prompt"].is_null();
  Preference made;
  made.prompt = explicit_prompt ? prompt_of_row(row, file, "prompt") : prompt_of_row(row, file);
  for (const char* field : {"chosen", "rejected"})
    made.items.push_back(as_completion(row.value[field], row.where, field));
  if (made.items[0].messages.empty() != made.items[1].messages.empty()) {
    throw Error({.category = Category::bad_data,
                 .where = row.where,
                 .what = "one of \"chosen\" and \"rejected\" is a string, the other a list of messages",
                 .fix = "Use one form for both."});
  }
  if (explicit_prompt) {
    match_prompt(made.prompt, made.items[0], row.where, "chosen");
    match_prompt(made.prompt, made.items[1], row.where, "rejected");
  } else {
    split_shared_prompt(made);
  }
  made.tie = flag_column(row, "tie");
  made.strength = strength_of(row);
  return made;
}

Preference from_list(const JsonlRow& row, const std::string& file) {
  Preference made;
  made.prompt = prompt_of_row(row, file, "prompt");
  const auto& completions = row.value["completions"];
  if (!completions.is_array() || completions.size() < 2) {
    throw Error({.category = Category::bad_data,
                 .where = row.where,
                 .what = "\"completions\" is no list of two or more completions",
                 .fix = "Such a row looks like " + std::string(shape_example(RowShape::best_of_n)) + "."});
  }
  for (std::size_t i = 0; i < completions.size(); ++i) {
    const auto field = "completions[" + std::to_string(i) + "]";
    made.items.push_back(as_completion(completions[i], row.where, field));
    match_prompt(made.prompt, made.items.back(), row.where, field);
  }
  made.best = index_column(row, "best", made.items.size());
  made.strength = strength_of(row);
  return made;
}

/// Rows as lm-human-preferences published them: sample0, sample1, ... are token ids.
Preference from_tokens(const JsonlRow& row, RowShape shape, const std::string& file) {
  Preference made;
  made.prompt = prompt_of_row(row, file, "query");
  for (int i = 0;; ++i) {
    const auto field = "sample" + std::to_string(i);
    if (!row.value.contains(field)) break;
    made.items.push_back({.text = "", .messages = {}, .ids = as_token_ids(row.value[field], row.where, field)});
  }
  if (shape == RowShape::query_best_of_n) {
    made.best = index_column(row, "best", made.items.size());
    return made;
  }
  const double difference = number_column(row, "difference");  // of the scores: sample1 minus sample0
  made.best = difference > 0 ? 1 : 0;
  made.tie = difference == 0;
  made.strength = made.tie ? 1.0 : std::abs(difference);
  return made;
}

}  // namespace

std::vector<Preference> read_preferences(JsonlReader& reader, const ReadOptions& options) {
  std::vector<Preference> rows;
  each_row(reader, options,
           {RowShape::preference, RowShape::best_of_n, RowShape::query_best_of_n, RowShape::query_compare},
           [&](const JsonlRow& row, RowShape shape) {
             rows.push_back(shape == RowShape::preference  ? from_pair(row, reader.name())
                            : shape == RowShape::best_of_n ? from_list(row, reader.name())
                                                           : from_tokens(row, shape, reader.name()));
             rows.back().where = row.where;
           });
  return rows;
}

std::vector<Preference> read_preferences(const std::filesystem::path& path, const ReadOptions& options) {
  auto reader = JsonlReader::open(path);
  return read_preferences(reader, options);
}

}  // namespace rlhf::data
