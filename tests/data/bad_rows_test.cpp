#include <gtest/gtest.h>

#include <string>

#include "rlhf/data/readers/rows.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::data {
namespace {

enum class Kind { prompts, demonstrations, preferences, ratings };

struct BadInput {
  Kind kind;
  std::string text;
  std::string message;  // all of it: where, what, fix
};

std::string message_of(const BadInput& input) {
  auto reader = JsonlReader::from_text(input.text, "f.jsonl");
  return error_of([&] {
           switch (input.kind) {
             case Kind::prompts:
               return void(read_prompts(reader));
             case Kind::demonstrations:
               return void(read_demonstrations(reader));
             case Kind::preferences:
               return void(read_preferences(reader));
             case Kind::ratings:
               return void(read_ratings(reader));
           }
         })
      .what();
}

TEST(BadRows, SayWhereWhatAndHowToFix) {
  const std::vector<BadInput> inputs = {
      {Kind::prompts, "",
       R"(f.jsonl: there is no row in it. Such a file has one JSON object a line, for example {"prompt": "..."}.)"},
      {Kind::prompts, "7", "f.jsonl:1: the row is a JSON number; an object with named columns was expected."},
      {Kind::demonstrations, "[{\"prompt\": \"a\"}]",
       "f.jsonl:1: the row is a JSON array; an object with named columns was expected. If the file is one JSON array "
       "of rows, give it a name that ends in .json."},
      {Kind::demonstrations, R"({"promt": "a", "completion": "b"})",
       R"(f.jsonl:1: the columns "completion", "promt" make no row that can be used here; nearest is prompt_completion, but "prompt" is missing (is "promt" meant?). Such a row looks like {"prompt": "...", "completion": "..."}.)"},
      {Kind::preferences, R"({"prompt": "a", "chosen": "b"})",
       R"(f.jsonl:1: the columns "chosen", "prompt" make no row that can be used here; nearest is preference, but "rejected" is missing. Such a row looks like {"prompt": "...", "chosen": "...", "rejected": "..."}.)"},
      {Kind::preferences, "{\"chosen\": \"a\", \"rejected\": \"b\"}\n{\"chosen\": \"a\", \"rejected\": null}",
       R"(f.jsonl:2: "rejected" is null; the columns are "chosen", "rejected". A preference row looks like {"prompt": "...", "chosen": "...", "rejected": "..."}.)"},
      {Kind::prompts, R"({"prompt": 3})", R"(f.jsonl:1: "prompt" is 3; a string or a list of messages was expected.)"},
      {Kind::prompts, R"({"prompt": []})", R"(f.jsonl:1: "prompt" is an empty list; at least one turn was expected.)"},
      {Kind::prompts, R"({"prompt": ["Hi"]})",
       R"(f.jsonl:1: "prompt[0]" is a string; an object with "role" and "content" was expected.)"},
      {Kind::prompts, R"({"prompt": [{"content": "Hi"}]})",
       R"(f.jsonl:1: "prompt[0]" has no "role". A turn looks like {"role": "user", "content": "..."}.)"},
      {Kind::prompts, R"({"prompt": [{"from": "human", "value": "Hi"}]})",
       R"(f.jsonl:1: "prompt[0]" has no "role". Rename "from" to "role" (user, assistant) and "value" to "content".)"},
      {Kind::prompts, R"({"prompt": [{"role": "human", "content": "Hi"}]})",
       R"(f.jsonl:1: "prompt[0].role" is "human"; system, user, assistant, tool or developer was expected. Rename it to "user".)"},
      {Kind::prompts, R"({"prompt": [{"role": "user"}]})",
       R"(f.jsonl:1: "prompt[0].content" is missing; a string was expected.)"},
      {Kind::prompts, R"({"prompt": [{"role": "user", "content": [{"type": "image"}]}]})",
       R"(f.jsonl:1: "prompt[0].content" is a list with a part that is not text; a string, or a list of {"type": "text", "text": ...} was expected.)"},
      {Kind::prompts, "{\"id\": 1, \"prompt\": \"a\"}\n{\"id\": 1, \"prompt\": \"b\"}",
       R"(f.jsonl:2: the id "1" is that of f.jsonl:1 too. Make the ids differ, or rename the column "id".)"},
      {Kind::prompts, R"({"messages": [{"role": "assistant", "content": "Hi"}]})",
       R"(f.jsonl:1: "messages" has no turn before the assistant's; a prompt needs one.)"},
      {Kind::demonstrations, R"({"prompt": "a", "completion": [{"role": "assistant", "content": "b"}]})",
       R"(f.jsonl:1: "completion" is a list of messages beside a prompt string; a string was expected. Prompt and completion must both be strings or both be messages.)"},
      {Kind::demonstrations, R"({"messages": "Hi"})",
       R"(f.jsonl:1: "messages" is a string; a list of messages was expected. Such a row looks like {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}.)"},
      {Kind::preferences, R"({"chosen": "a", "rejected": [{"role": "assistant", "content": "b"}]})",
       R"(f.jsonl:1: one of "chosen" and "rejected" is a string, the other a list of messages. Use one form for both.)"},
      {Kind::preferences, R"({"prompt": "a", "completions": ["b"], "best": 0})",
       R"(f.jsonl:1: "completions" is no list of two or more completions. Such a row looks like {"prompt": "...", "completions": ["...", "..."], "best": 0}.)"},
      {Kind::preferences, R"({"prompt": "a", "completions": ["b", "c"], "best": 2})",
       R"(f.jsonl:1: "best" is 2; an index from 0 to 1 was expected.)"},
      {Kind::preferences, R"({"prompt": "a", "completions": ["b", "c"], "best": -1})",
       R"(f.jsonl:1: "best" is -1; an index from 0 to 1 was expected.)"},
      {Kind::preferences, R"({"prompt": "a", "chosen": "b", "rejected": "c", "tie": "yes"})",
       R"(f.jsonl:1: "tie" is a string; true or false was expected.)"},
      {Kind::preferences, R"({"prompt": "a", "chosen": "b", "rejected": "c", "strength": 0})",
       R"(f.jsonl:1: "strength" is 0.000000; a number above 0 was expected.)"},
      {Kind::preferences, R"({"query": [1, -2], "sample0": [1], "sample1": [2], "best": 0})",
       R"(f.jsonl:1: "query[1]" is -2; a token id (an integer from 0) was expected.)"},
      {Kind::preferences, R"({"query": "text", "sample0": [1], "sample1": [2], "best": 0})",
       R"(f.jsonl:1: "query" is a string; a list of token ids was expected.)"},
      {Kind::ratings, R"({"prompt": "a", "completion": "b", "rating": "good"})",
       R"(f.jsonl:1: "rating" is a string; a number was expected.)"},
  };
  for (const auto& input : inputs) EXPECT_EQ(message_of(input), input.message);
}

TEST(BadRows, AnUnknownFormatNamesTheKnownOnes) {
  const auto error = error_of([] { parse_shape("preferense"); });
  EXPECT_EQ(error.category(), Category::usage);
  EXPECT_EQ(error.fix(), "Did you mean \"preference\"?");
  auto reader = JsonlReader::from_text("{}", "f.jsonl");
  EXPECT_EQ(error_of([&] { read_ratings(reader, {.format = RowShape::text}); }).problem(),
            "rows of the format text cannot be used here; these can: rating, query_rating");
}

}  // namespace
}  // namespace rlhf::data
