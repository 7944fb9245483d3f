#pragma once
#include <filesystem>
#include <vector>

#include "rlhf/data/prompt.h"
#include "rlhf/data/readers/jsonl.h"
#include "rlhf/data/readers/shape.h"
#include "rlhf/data/written.h"

namespace rlhf::data {

// Rows of a file as text: nothing is encoded yet (data/encode.h does that), and Prompt::row keeps every column.
// Every row must have the shape of the first one, or the shape asked for. All throw rlhf::Error with file, line, field.

/// From rows with a prompt (completions, choices and labels stay in Prompt::row), bare strings, or {"messages"} (the
/// turns before the last assistant turn). Ids come from the column "id" and must differ; else they are "<file>:<line>".
std::vector<Prompt> read_prompts(JsonlReader& reader, const ReadOptions& options = {});
std::vector<Prompt> read_prompts(const std::filesystem::path& path, const ReadOptions& options = {});

/// From {"text"}, {"messages"} or {"prompt", "completion"}.
std::vector<Demonstration> read_demonstrations(JsonlReader& reader, const ReadOptions& options = {});
std::vector<Demonstration> read_demonstrations(const std::filesystem::path& path, const ReadOptions& options = {});

/// From {"chosen", "rejected"} with or without "prompt", best-of-N rows, and published token rows with a choice.
std::vector<Preference> read_preferences(JsonlReader& reader, const ReadOptions& options = {});
std::vector<Preference> read_preferences(const std::filesystem::path& path, const ReadOptions& options = {});

/// From {"prompt", "completion", "rating"} and published token rows with a score.
std::vector<RatedCompletion> read_ratings(JsonlReader& reader, const ReadOptions& options = {});
std::vector<RatedCompletion> read_ratings(const std::filesystem::path& path, const ReadOptions& options = {});

}  // namespace rlhf::data
