#pragma once
#include <string>
#include <vector>

#include "rlhf/data/prompt.h"
#include "rlhf/data/readers/jsonl.h"
#include "rlhf/data/written.h"

namespace rlhf::data {

// Typed access to the columns of a row. All throw rlhf::Error (bad_data) with file, line and field.

/// A list of {"role", "content"}; `field` is its name in messages ("chosen", "completions[2]").
std::vector<Message> as_messages(const nlohmann::json& value, const std::string& where, const std::string& field);

/// A string or a list of messages.
WrittenCompletion as_completion(const nlohmann::json& value, const std::string& where, const std::string& field);

/// A list of non-negative integers.
TokenIds as_token_ids(const nlohmann::json& value, const std::string& where, const std::string& field);

/// A finite number; `fallback` when the column is absent or null.
double number_column(const JsonlRow& row, const std::string& field, double fallback);

/// A finite number that must be there.
double number_column(const JsonlRow& row, const std::string& field);

/// An integer in [0, size).
std::int64_t index_column(const JsonlRow& row, const std::string& field, std::size_t size);

bool flag_column(const JsonlRow& row, const std::string& field);

/// A prompt with the row's id and all of its columns, and no content yet.
Prompt prompt_of_row(const JsonlRow& row, const std::string& file);

/// The same, with the content of the column: a string, messages, or token ids under "query".
Prompt prompt_of_row(const JsonlRow& row, const std::string& file, const std::string& field);

/// Makes text and prompt of one kind: a plain text after a conversation is the assistant's next turn. Messages after a
/// plain prompt are an error.
void match_prompt(const Prompt& prompt, WrittenCompletion& completion, const std::string& where,
                  const std::string& field);

}  // namespace rlhf::data
