#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/data/readers/jsonl.h"

namespace rlhf::data {

/// The shapes a row may have. The first five are TRL's dataset types (standard: strings; conversational: message
/// lists).
enum class RowShape {
  text,               // {"text"}                                   learn all of it
  messages,           // {"messages"}                               learn every assistant turn
  prompt,             // {"prompt"}, or a bare string
  prompt_completion,  // {"prompt", "completion"}
  preference,         // {"chosen", "rejected"}, with "prompt" or a shared beginning; optional "tie", "strength"
  best_of_n,          // {"prompt", "completions": [...], "best"}; optional "strength"
  rating,             // {"prompt", "completion", "rating"}
  query_best_of_n,    // {"query", "sample0", ..., "best"}          token ids, as lm-human-preferences published them
  query_rating,       // {"query", "sample", "score"}               token ids
  query_compare,      // {"query", "sample0", "sample1", "difference"}  token ids; difference > 0 prefers sample1
};

/// "prompt_completion" and so on; what --format takes.
std::string_view shape_name(RowShape shape);

/// Throws rlhf::Error (usage) for an unknown name; dashes and underscores are the same.
RowShape parse_shape(std::string_view name);

/// An example row, for messages: {"prompt": "...", "completion": "..."}.
std::string_view shape_example(RowShape shape);

/// The shape of a row by its columns (null columns are absent). Throws rlhf::Error naming the nearest of `accepted`.
RowShape sniff(const JsonlRow& row, const std::vector<RowShape>& accepted);

/// Throws rlhf::Error when the row lacks a column of `shape`, naming the column and the likely misspelling.
void require_shape(const JsonlRow& row, RowShape shape);

struct ReadOptions {
  std::optional<RowShape> format;  // empty: by the first row's columns
  std::int64_t limit = 0;          // rows to read; 0 = all
};

}  // namespace rlhf::data
