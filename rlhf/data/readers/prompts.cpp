#include <unordered_map>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/data/readers/columns.h"
#include "rlhf/data/readers/each_row.h"
#include "rlhf/data/readers/rows.h"
#include "rlhf/data/readers/shared_prompt.h"

namespace rlhf::data {
namespace {

/// The turns that come before the answer to be learnt or sampled.
std::vector<Message> before_the_answer(std::vector<Message> messages, const JsonlRow& row) {
  while (!messages.empty() && messages.back().role == "assistant") messages.pop_back();
  if (!messages.empty()) return messages;
  throw Error({.category = Category::bad_data,
               .where = row.where,
               .what = "\"messages\" has no turn before the assistant's; a prompt needs one",
               .fix = ""});
}

void take_shared_beginning(Prompt& prompt, const JsonlRow& row) {
  const auto chosen = as_completion(row.value.at("chosen"), row.where, "chosen");
  const auto rejected = as_completion(row.value.at("rejected"), row.where, "rejected");
  prompt.text = chosen.text.substr(0, shared_prompt_bytes(chosen.text, rejected.text));
  const auto turns = shared_prompt_turns(chosen.messages, rejected.messages);
  prompt.messages.assign(chosen.messages.begin(), chosen.messages.begin() + static_cast<std::ptrdiff_t>(turns));
}

Prompt prompt_from(const JsonlRow& row, RowShape shape, const std::string& file) {
  if (row.value.is_string() || (row.value.contains("prompt") && !row.value["prompt"].is_null()))
    return prompt_of_row(row, file, "prompt");
  if (row.value.contains("query")) return prompt_of_row(row, file, "query");
  auto prompt = prompt_of_row(row, file);
  if (shape == RowShape::messages) {
    prompt.messages = before_the_answer(as_messages(row.value["messages"], row.where, "messages"), row);
  } else {
    take_shared_beginning(prompt, row);
  }
  return prompt;
}

}  // namespace

std::vector<Prompt> read_prompts(JsonlReader& reader, const ReadOptions& options) {
  std::vector<Prompt> prompts;
  std::unordered_map<std::string, std::string> seen;  // id -> where
  each_row(
      reader, options,
      {RowShape::prompt, RowShape::messages, RowShape::prompt_completion, RowShape::preference, RowShape::best_of_n,
       RowShape::rating, RowShape::query_best_of_n, RowShape::query_rating, RowShape::query_compare},
      [&](const JsonlRow& row, RowShape shape) {
        prompts.push_back(prompt_from(row, shape, reader.name()));
        const auto [first, fresh] = seen.emplace(prompts.back().id, row.where);
        if (fresh) return;
        // What is sampled for a prompt is a function of its id, so that two prompts cannot share one.
        throw Error({.category = Category::bad_data,
                     .where = row.where,
                     .what = "the id \"" + prompts.back().id + "\" is that of " + first->second + " too",
                     .fix = "Make the ids differ, or rename the column \"id\"."});
      });
  return prompts;
}

std::vector<Prompt> read_prompts(const std::filesystem::path& path, const ReadOptions& options) {
  auto reader = JsonlReader::open(path);
  return read_prompts(reader, options);
}

}  // namespace rlhf::data
